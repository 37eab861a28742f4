/**
 * `KeyRing` on KMS: data keys wrapped by a multi-Region key, signatures by an ECC_NIST_P256 key.
 *
 * Invariant: ids are those that a key has in all of its Regions (`mrk-…`), so that what the primary wrote is opened and
 * checked in the replica Region with nothing of the primary.
 */
import { verify } from 'node:crypto';
import { type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import type { KeyRing, Signature } from '../../core/keyring/key-ring.ts';
import { messageSuite, sdkMessages } from '../../core/keyring/sdk-messages.ts';
import { digestOf, foreignSignature, requireGoodSignature } from '../../core/keyring/signatures.ts';
import { KmsDataKeys } from './kms-data-keys.ts';
import { kmsError } from './kms-errors.ts';
import { askedKey, type PinnedKey, pinnedKeys } from './verification-keys.ts';

export interface KmsKeyRingInput {
  readonly kms: KMSClient;
  /** Both in the Region of the client. */
  readonly encryptionKeyArn: string;
  readonly signingKeyArn: string;
  /** Generations of signing keys. Without any, the signing key is asked for its public half. */
  readonly publicKeys?: readonly PinnedKey[];
}

/** @throws ConfigurationError for what is no ARN of a key, or when public keys are pinned and that of the signing key is not */
export function openKmsKeyRing({
  kms,
  encryptionKeyArn,
  signingKeyArn,
  publicKeys = [],
}: KmsKeyRingInput): KeyRing {
  const encryptionKeyId = keyIdOf(encryptionKeyArn);
  const signingKeyId = keyIdOf(signingKeyArn);
  const isPinned = publicKeys.length > 0;
  const trusted = isPinned ? pinnedKeys(publicKeys) : askedKey(kms, signingKeyArn, signingKeyId);
  if (!trusted.ids.includes(signingKeyId)) {
    throw new HoldfastError(
      'ConfigurationError',
      `signingPublicKeys has ${trusted.ids.join(', ')}; the key that signs, ${signingKeyId}, must be among them.`,
    );
  }

  const ring: KeyRing = {
    encryptionKeyId,
    signingKeyId,
    verificationKeyIds: trusted.ids,
    suite: messageSuite,
    wrapping: 'aws-kms-mrk',
    ...sdkMessages(new KmsDataKeys(kms, encryptionKeyArn)),

    async sign(document) {
      const digest = digestOf(document);
      const signature: Signature = {
        algorithm: 'ECDSA_SHA_256',
        keyId: signingKeyId,
        digest: digest.toString('hex'),
        signature: Buffer.from(await signDigest(kms, signingKeyArn, digest)).toString('base64'),
      };
      // A wrong pin is found here, and not when a backup is to be restored.
      if (isPinned) await ring.verify(document, signature).catch(blamePin(signingKeyId));
      return signature;
    },

    async verify(document, signature) {
      const key = await trusted.find(signature.keyId);
      if (key === undefined) throw foreignSignature(signature, trusted.ids);
      requireGoodSignature(document, signature, 'ECDSA_SHA_256', (_, bytes) =>
        // Takes the document and hashes it again: node:crypto has no ECDSA over a given digest.
        verify('sha256', document, key, bytes),
      );
    },
  };
  return ring;
}

/** `mrk-…` of `arn:aws:kms:eu-central-1:123456789012:key/mrk-…` @throws ConfigurationError */
export function keyIdOf(arn: string): string {
  const [, id] = /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/([\w-]+)$/.exec(arn) ?? [];
  if (id !== undefined) return id;
  throw new HoldfastError(
    'ConfigurationError',
    `${JSON.stringify(arn)} is not the ARN of a key; allowed is arn:aws:kms:REGION:ACCOUNT:key/ID (no alias).`,
  );
}

async function signDigest(kms: KMSClient, keyArn: string, digest: Buffer): Promise<Uint8Array> {
  try {
    const { Signature: bytes } = await kms.send(
      new SignCommand({
        KeyId: keyArn,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    return bytes ?? new Uint8Array();
  } catch (error) {
    throw kmsError(error, 'kms:Sign', keyArn);
  }
}

const blamePin =
  (keyId: string) =>
  (error: unknown): never => {
    if (!isHoldfastError(error, 'SignatureInvalidError')) throw error;
    throw new HoldfastError(
      'ConfigurationError',
      `signingPublicKeys: the value for ${keyId} is not the public half of the key that signs.`,
      { cause: error },
    );
  };
