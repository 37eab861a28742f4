import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  KeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EncryptionContext, KeyRing } from '../../core/keyring/key-ring.ts';
import { createKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing, rawAesKeyring } from '../../local/keyring/local-key-ring.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const newKeyFile = async () => createKeyFile(join(await folder(), 'key.json'));
const keyFile = await newKeyFile();
const keyRing = openLocalKeyRing(keyFile);

const context: EncryptionContext = {
  vault: 'v-test',
  source: 'shop',
  backup: 'shop-20261121T000000Z-abcdef',
  object: 'backups/shop/shop-20261121T000000Z-abcdef/data/00000-0-x.hf',
};
const mebibyte = 1 << 20;

const encrypt = (plain: Uint8Array, ring: KeyRing = keyRing, of = context): Promise<Buffer> => {
  const segment = ring.encryptObject(of, plain.length).openSegment();
  return buffer(Readable.from(chunksOf(plain)).pipe(segment));
};
const decrypt = (message: Uint8Array, ring: KeyRing = keyRing, of = context): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    pipeline(Readable.from(chunksOf(message)), ring.decryptSegment(of), async (clear) => {
      for await (const part of clear) parts.push(part as Buffer);
    }).then(() => resolve(Buffer.concat(parts)), reject);
  });
function* chunksOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += mebibyte) yield bytes.subarray(at, at + mebibyte);
}
const named = (name: string) => expect.objectContaining({ name });

it.each([0, 1, mebibyte - 1, mebibyte, 3 * mebibyte + 5])(
  'decrypts what it encrypted, %d bytes',
  async (size) => {
    const plain = randomBytes(size);
    expect((await decrypt(await encrypt(plain))).equals(plain)).toBe(true);
  },
);

it('asks for one data key per object, however many segments it has', async () => {
  class CountingKeyring extends KeyringNode {
    made = 0;
    readonly #inner = rawAesKeyring(keyFile);
    override async _onEncrypt(material: NodeEncryptionMaterial) {
      this.made += 1;
      return this.#inner._onEncrypt(material);
    }
    override async _onDecrypt(material: NodeDecryptionMaterial): Promise<NodeDecryptionMaterial> {
      return material;
    }
  }
  const counting = new CountingKeyring();
  const ring = openLocalKeyRing(keyFile, counting);
  const plain = randomBytes(1000);
  const object = ring.encryptObject(context, 20 * plain.length);
  for (let i = 0; i < 20; i += 1) {
    const message = await buffer(Readable.from([plain]).pipe(object.openSegment()));
    expect((await decrypt(message)).equals(plain)).toBe(true);
  }
  expect(counting.made).toBe(1);
  await encrypt(plain, ring, { ...context, object: `${context.object}2` });
  expect(counting.made).toBe(2);
});

it.each(['vault', 'source', 'backup', 'object'] as const)(
  'refuses a message that was bound to another %s',
  async (field) => {
    const message = await encrypt(randomBytes(10));
    await expect(decrypt(message, keyRing, { ...context, [field]: 'another' })).rejects.toEqual(
      named('DecryptionError'),
    );
  },
);

it('refuses a message of another key', async () => {
  const other = openLocalKeyRing(await newKeyFile());
  const message = await encrypt(randomBytes(10), other);
  await expect(decrypt(message)).rejects.toEqual(named('DecryptionError'));
});

it('refuses a message that was cut short, at any place', async () => {
  const message = await encrypt(randomBytes(2 * mebibyte + 100));
  for (const length of [0, 1, 100, 300, mebibyte, 2 * mebibyte, message.length - 1]) {
    await expect(decrypt(message.subarray(0, length))).rejects.toEqual(named('DecryptionError'));
  }
});

it('refuses a message with one byte flipped, wherever, and only with an error of the stream', async () => {
  const plain = randomBytes(mebibyte + 50);
  const message = await encrypt(plain);
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
      await expect(decrypt(damaged)).rejects.toEqual(named('DecryptionError'));
    }),
    { numRuns: 250 },
  );
});

it('passes on the error of what it is joined with, and is gone then', async () => {
  const message = await encrypt(randomBytes(3 * mebibyte));
  const stream = keyRing.decryptSegment(context);
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
  expect(signature).toMatchObject({ algorithm: 'Ed25519', keyId: keyFile.signingKeyId });
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
});

it('says which key a signature asks for', async () => {
  const other = openLocalKeyRing(await newKeyFile());
  const signature = await other.sign(Buffer.from('x'));
  const refusal = keyRing.verify(Buffer.from('x'), signature);
  await expect(refusal).rejects.toEqual(named('KeyMismatchError'));
  await expect(refusal).rejects.toThrow(other.signingKeyId);
});
