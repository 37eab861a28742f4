/**
 * The public halves that signatures are checked against.
 *
 * Invariant: they come from the deployment (pinned) or from KMS, never from the vault: who can write the vault could
 * write a key into it.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { HoldfastError } from '../../core/contract/errors.ts';
import { kmsError } from './kms-errors.ts';

export interface PinnedKey {
  /** `mrk-…` */
  readonly keyId: string;
  /** PEM (SubjectPublicKeyInfo), as `openssl ec -pubout` writes it. */
  readonly publicKey: string;
}

export interface VerificationKeys {
  readonly ids: readonly string[];
  /** @returns undefined when it is not one of `ids` @throws KeyAccessDeniedError, KeyServiceError … when KMS is asked */
  find(keyId: string): Promise<KeyObject | undefined>;
}

/** @throws ConfigurationError */
export function pinnedKeys(pinned: readonly PinnedKey[]): VerificationKeys {
  const keys = new Map(pinned.map((one) => [one.keyId, parse(one)]));
  return { ids: [...keys.keys()], find: async (keyId) => keys.get(keyId) };
}

/** The key that signs is asked for its public half, once. */
export function askedKey(kms: KMSClient, keyArn: string, keyId: string): VerificationKeys {
  let known: KeyObject | undefined;
  return {
    ids: [keyId],
    async find(wanted) {
      if (wanted !== keyId) return undefined;
      known ??= await ask(kms, keyArn);
      return known;
    },
  };
}

async function ask(kms: KMSClient, keyArn: string): Promise<KeyObject> {
  try {
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyArn }));
    return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  } catch (error) {
    throw kmsError(error, 'kms:GetPublicKey', keyArn);
  }
}

function parse({ keyId, publicKey }: PinnedKey): KeyObject {
  let key: KeyObject | undefined;
  let cause: unknown;
  try {
    key = createPublicKey(publicKey);
  } catch (error) {
    cause = error;
  }
  const curve = key?.asymmetricKeyDetails?.namedCurve;
  if (key !== undefined && curve === 'prime256v1') return key;
  const got =
    key === undefined ? 'no public key in PEM' : `a key of type ${curve ?? key.asymmetricKeyType}`;
  throw new HoldfastError(
    'ConfigurationError',
    `signingPublicKeys: the value for ${keyId} is ${got}; allowed is a public key of ECC_NIST_P256 in PEM.`,
    {
      hint: 'Take it from: aws kms get-public-key --key-id ARN --query PublicKey --output text | base64 -d | openssl ec -pubin -inform DER',
      cause,
    },
  );
}
