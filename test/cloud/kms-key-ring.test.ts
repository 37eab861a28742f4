/** KmsKeyRing on the emulator's KMS: the contract of every key ring, and what only KMS can do or refuse. */
import { randomBytes } from 'node:crypto';
import {
  DisableKeyCommand,
  GetPublicKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeAll, describe, expect, it } from 'vitest';
import { openKmsKeyRing } from '../../aws/keyring/kms-key-ring.ts';
import type { PinnedKey } from '../../aws/keyring/verification-keys.ts';
import { decrypt, encrypt, keyRingContract, named } from '../support/key-ring-contract.ts';
import {
  countingClient,
  kmsClient,
  newEncryptionKey,
  newSigningKey,
  replicaRegion,
  replicated,
} from './kms-support.ts';

let encryptionKeyArn: string;
let signingKeyArn: string;
beforeAll(async () => {
  encryptionKeyArn = await newEncryptionKey();
  signingKeyArn = await newSigningKey();
});
const idOf = (arn: string) => arn.split('/')[1] as string;
const document = Buffer.from('manifest');

describe('the key ring of KMS', () => {
  keyRingContract(async () => ({
    algorithm: 'ECDSA_SHA_256',
    wrapping: 'aws-kms-mrk',
    keyRing: openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn, signingKeyArn }),
    other: openKmsKeyRing({
      kms: kmsClient(),
      encryptionKeyArn: await newEncryptionKey(),
      signingKeyArn: await newSigningKey(),
    }),
    counting() {
      const { kms, count } = countingClient();
      return {
        ring: openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn }),
        made: () => count('GenerateDataKey'),
        opened: () => count('Decrypt'),
      };
    },
  }));
});

describe('two Regions', () => {
  it('the replica Region opens and checks what the primary wrote, with its own keys and the same ids, and the other way round', async () => {
    const replica = {
      encryptionKeyArn: await replicated(encryptionKeyArn),
      signingKeyArn: await replicated(signingKeyArn),
    };
    const primary = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn, signingKeyArn });
    const { kms, count } = countingClient(replicaRegion);
    const there = openKmsKeyRing({ kms, ...replica });
    expect([there.encryptionKeyId, there.signingKeyId]).toEqual([
      primary.encryptionKeyId,
      primary.signingKeyId,
    ]);
    expect(there.encryptionKeyId).toMatch(/^mrk-/);
    for (const [from, to] of [
      [primary, there],
      [there, primary],
    ] as const) {
      const plain = randomBytes(5000);
      expect(await decrypt(await encrypt(plain, from), to)).toEqual(plain);
      await to.verify(document, await from.sign(document));
    }
    expect(count('Decrypt')).toBe(1);
  });
});

describe('a key that KMS does not give', () => {
  it.each([
    ['disabled', (KeyId: string) => new DisableKeyCommand({ KeyId })],
    [
      'about to be deleted',
      (KeyId: string) => new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }),
    ],
  ])('%s: nothing is encrypted with it, and the error names the key', async (_, command) => {
    const arn = await newEncryptionKey();
    const ring = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn: arn, signingKeyArn });
    await kmsClient().send(command(arn) as DisableKeyCommand);
    const refusal = encrypt(document, ring);
    await expect(refusal).rejects.toEqual(named('KeyUnavailableError'));
    await expect(refusal).rejects.toThrow(`kms:GenerateDataKey with the key ${arn} failed`);
    await expect(refusal).rejects.toMatchObject({ retryable: false });
  });

  it('disabled: nothing is decrypted with it, and that is not called damage', async () => {
    const arn = await newEncryptionKey();
    const open = () => openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn: arn, signingKeyArn });
    const message = await encrypt(document, open());
    await kmsClient().send(new DisableKeyCommand({ KeyId: arn }));
    await expect(decrypt(message, open())).rejects.toEqual(named('KeyUnavailableError'));
  });

  it('disabled: it does not sign, and nothing is called signed', async () => {
    const arn = await newSigningKey();
    const ring = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn, signingKeyArn: arn });
    await kmsClient().send(new DisableKeyCommand({ KeyId: arn }));
    await expect(ring.sign(document)).rejects.toEqual(named('KeyUnavailableError'));
  });

  it('not there: the error names it', async () => {
    const arn = encryptionKeyArn.replace(/mrk-.*/, 'mrk-00000000000000000000000000000000');
    const ring = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn: arn, signingKeyArn });
    await expect(encrypt(document, ring)).rejects.toEqual(named('KeyUnavailableError'));
  });

  it('behind an endpoint that does not answer: to be tried again', async () => {
    const { kms } = countingClient(undefined, { endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
    const ring = openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn });
    await expect(encrypt(document, ring)).rejects.toMatchObject({
      name: 'KeyServiceError',
      retryable: true,
    });
  });
});

describe('pinned public keys', () => {
  const pinOf = async (arn: string): Promise<PinnedKey> => {
    const { PublicKey } = await kmsClient().send(new GetPublicKeyCommand({ KeyId: arn }));
    const der = Buffer.from(PublicKey ?? []).toString('base64');
    return {
      keyId: idOf(arn),
      publicKey: `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`,
    };
  };

  it('check signatures without a request, of earlier generations too', async () => {
    const earlierArn = await newSigningKey();
    const publicKeys = [await pinOf(earlierArn), await pinOf(signingKeyArn)];
    const earlier = openKmsKeyRing({
      kms: kmsClient(),
      encryptionKeyArn,
      signingKeyArn: earlierArn,
    });
    const { kms, count } = countingClient();
    const ring = openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn, publicKeys });
    expect(ring.verificationKeyIds).toEqual([idOf(earlierArn), idOf(signingKeyArn)]);
    await ring.verify(document, await earlier.sign(document));
    await ring.verify(document, await ring.sign(document));
    expect([count('GetPublicKey'), count('Verify'), count('Sign')]).toEqual([0, 0, 1]);
  });

  it('are the only ones trusted: a signature of a key beside them is refused, whatever KMS would say', async () => {
    const publicKeys = [await pinOf(signingKeyArn)];
    const ring = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn, signingKeyArn, publicKeys });
    const beside = openKmsKeyRing({
      kms: kmsClient(),
      encryptionKeyArn,
      signingKeyArn: await newSigningKey(),
    });
    await expect(ring.verify(document, await beside.sign(document))).rejects.toEqual(
      named('KeyMismatchError'),
    );
  });

  it('that are not those of the key that signs are found when it signs', async () => {
    const { publicKey } = await pinOf(await newSigningKey());
    const publicKeys = [{ keyId: idOf(signingKeyArn), publicKey }];
    const ring = openKmsKeyRing({ kms: kmsClient(), encryptionKeyArn, signingKeyArn, publicKeys });
    await expect(ring.sign(document)).rejects.toEqual(named('ConfigurationError'));
  });

  it('without any: the signing key is asked once', async () => {
    const { kms, count } = countingClient();
    const ring = openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn });
    const signature = await ring.sign(document);
    for (let i = 0; i < 3; i += 1) await ring.verify(document, signature);
    expect([count('GetPublicKey'), count('Verify')]).toEqual([1, 0]);
  });
});
