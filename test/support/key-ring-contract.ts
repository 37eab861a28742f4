/** What every key ring must do. Each adapter gives rings of the same key, of another one, and a count of its requests. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { EncryptionContext, KeyRing, Signature } from '../../core/keyring/key-ring.ts';
import { requireKeys } from '../../core/keyring/require-keys.ts';

export interface KeyRingHarness {
  readonly algorithm: Signature['algorithm'];
  readonly wrapping: KeyRing['wrapping'];
  readonly keyRing: KeyRing;
  /** A ring of other keys. */
  readonly other: KeyRing;
  /** A ring of the same keys that remembers nothing, with the number of data keys that were made, and unwrapped, for it. */
  counting(): { readonly ring: KeyRing; made(): number; opened(): number };
}

export const sampleContext: EncryptionContext = {
  vault: 'v-test',
  source: 'shop',
  backup: 'shop-20261121T000000Z-abcdef',
  object: 'backups/shop/shop-20261121T000000Z-abcdef/data/00000-0-x.hf',
};
const mebibyte = 1 << 20;

export const encrypt = (plain: Uint8Array, ring: KeyRing, of = sampleContext): Promise<Buffer> =>
  seal(plain, ring.encryptObject(of, plain.length));

/** Rejects with what the stream ends with. */
async function seal(
  plain: Uint8Array,
  object: ReturnType<KeyRing['encryptObject']>,
): Promise<Buffer> {
  const segment = object.openSegment();
  const [, sealed] = await Promise.all([
    pipeline(Readable.from(chunksOf(plain)), segment),
    buffer(segment),
  ]);
  return sealed;
}

export const decrypt = (message: Uint8Array, ring: KeyRing, of = sampleContext): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    pipeline(Readable.from(chunksOf(message)), ring.decryptSegment(of), async (clear) => {
      for await (const part of clear) parts.push(part as Buffer);
    }).then(() => resolve(Buffer.concat(parts)), reject);
  });

function* chunksOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += mebibyte) yield bytes.subarray(at, at + mebibyte);
}

export const named = (name: string) => expect.objectContaining({ name });

export function keyRingContract(makeHarness: () => Promise<KeyRingHarness>): void {
  let harness: KeyRingHarness;
  let keyRing: KeyRing;
  beforeAll(async () => {
    harness = await makeHarness();
    ({ keyRing } = harness);
  });

  it.each([0, 1, mebibyte - 1, mebibyte, 3 * mebibyte + 5])(
    'decrypts what it encrypted, %d bytes',
    async (size) => {
      const plain = randomBytes(size);
      expect((await decrypt(await encrypt(plain, keyRing), keyRing)).equals(plain)).toBe(true);
    },
  );

  it('asks for one data key per object, however many segments it has, and unwraps it once', async () => {
    const { ring, made, opened } = harness.counting();
    const reading = harness.counting();
    const plain = randomBytes(1000);
    const object = ring.encryptObject(sampleContext, 20 * plain.length);
    for (let i = 0; i < 20; i += 1) {
      const message = await seal(plain, object);
      expect((await decrypt(message, reading.ring)).equals(plain)).toBe(true);
    }
    expect([made(), opened(), reading.made(), reading.opened()]).toEqual([1, 0, 0, 1]);
    await encrypt(plain, ring, { ...sampleContext, object: `${sampleContext.object}2` });
    expect(made()).toBe(2);
  });

  it.each(['vault', 'source', 'backup', 'object'] as const)(
    'refuses a message that was bound to another %s, without a request for its key',
    async (field) => {
      const message = await encrypt(randomBytes(10), keyRing);
      const { ring, opened } = harness.counting();
      await expect(
        decrypt(message, ring, { ...sampleContext, [field]: 'another' }),
      ).rejects.toEqual(named('DecryptionError'));
      expect(opened()).toBe(0);
    },
  );

  it('refuses a message of another key', async () => {
    const message = await encrypt(randomBytes(10), harness.other);
    await expect(decrypt(message, keyRing)).rejects.toEqual(named('DecryptionError'));
  });

  it('refuses a message that was cut short, at any place', async () => {
    const message = await encrypt(randomBytes(2 * mebibyte + 100), keyRing);
    for (const length of [0, 1, 100, 300, mebibyte, 2 * mebibyte, message.length - 1]) {
      await expect(decrypt(message.subarray(0, length), keyRing)).rejects.toEqual(
        named('DecryptionError'),
      );
    }
  });

  it('refuses a message with one byte flipped, wherever, and only with an error of the stream', async () => {
    const message = await encrypt(randomBytes(mebibyte + 50), keyRing);
    const tail = message.length - 150;
    // Header, first frame header, the border of the two frames, the end, and anywhere.
    const place = fc.oneof(
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: tail, max: message.length - 1 }),
      fc.integer({ min: 0, max: message.length - 1 }),
    );
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(message);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        await expect(decrypt(damaged, keyRing)).rejects.toEqual(named('DecryptionError'));
      }),
      { numRuns: 250 },
    );
  });

  it('passes on the error of what it is joined with, and is gone then', async () => {
    const message = await encrypt(randomBytes(3 * mebibyte), keyRing);
    const stream = keyRing.decryptSegment(sampleContext);
    const source = Readable.from(
      (async function* () {
        yield message.subarray(0, mebibyte + 1000);
        throw new Error('disk on fire');
      })(),
    );
    await expect(
      pipeline(source, stream, async (clear) => {
        for await (const _ of clear);
      }),
    ).rejects.toThrow('disk on fire');
    expect(stream.destroyed).toBe(true);
  });

  it('signs a document, and nothing else has that signature', async () => {
    const document = Buffer.from('manifest');
    const signature = await keyRing.sign(document);
    const { algorithm } = harness;
    expect(signature).toMatchObject({ algorithm, keyId: keyRing.signingKeyId });
    await keyRing.verify(document, signature);
    const invalid = named('SignatureInvalidError');
    await expect(keyRing.verify(Buffer.from('Manifest'), signature)).rejects.toEqual(invalid);
    const { digest } = await keyRing.sign(Buffer.from('other'));
    await expect(keyRing.verify(Buffer.from('other'), { ...signature, digest })).rejects.toEqual(
      invalid,
    );
    await expect(keyRing.verify(document, { ...signature, signature: 'AAAA' })).rejects.toEqual(
      invalid,
    );
    const relabelled = (['Ed25519', 'ECDSA_SHA_256'] as const).filter((one) => one !== algorithm);
    for (const wrong of relabelled) {
      await expect(keyRing.verify(document, { ...signature, algorithm: wrong })).rejects.toEqual(
        invalid,
      );
    }
  });

  it('says which key a signature asks for', async () => {
    const signature = await harness.other.sign(Buffer.from('x'));
    const refusal = keyRing.verify(Buffer.from('x'), signature);
    await expect(refusal).rejects.toEqual(named('KeyMismatchError'));
    await expect(refusal).rejects.toThrow(harness.other.signingKeyId);
  });

  it('tells its keys by ids: other keys are refused before anything is read with them', () => {
    const { encryptionKeyId, signingKeyId, wrapping, verificationKeyIds } = keyRing;
    expect(wrapping).toBe(harness.wrapping);
    expect(verificationKeyIds).toContain(signingKeyId);
    requireKeys(keyRing, { encryptionKeyId, signingKeyId }, 'vault x');
    const { other } = harness;
    for (const wanted of [
      { encryptionKeyId: other.encryptionKeyId },
      { signingKeyId: other.signingKeyId },
    ]) {
      const [id] = Object.values(wanted);
      expect(() => requireKeys(keyRing, wanted, 'vault x')).toThrow(
        expect.objectContaining({
          name: 'KeyMismatchError',
          message: expect.stringContaining(`the vault x needs ${id}`),
        }),
      );
    }
  });
}
