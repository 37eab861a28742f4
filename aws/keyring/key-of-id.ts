/**
 * From the id of a key, as vaults and manifests record it, to its ARN in the Region of a client: a multi-Region key has
 * one id and an ARN in each.
 *
 * Invariant: an id names a key of the caller's own account alone. An ARN is not taken: who writes a vault's marker could
 * name a key of his own by it.
 */
import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import { kmsError } from './kms-errors.ts';

/** `mrk-` and 32 hex digits, or the UUID of a key of one Region; ids of key files are neither. */
export const isKmsKeyId = (id: string): boolean =>
  /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(id);

/** @throws KeyUnavailableError when this account and Region have no such key; KeyAccessDeniedError, KeyServiceError … */
export async function keyArnOf(kms: KMSClient, keyId: string): Promise<string> {
  if (!isKmsKeyId(keyId)) {
    throw new HoldfastError('KeyMismatchError', `${JSON.stringify(keyId)} is no key of KMS.`);
  }
  try {
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }));
    return KeyMetadata?.Arn ?? '';
  } catch (error) {
    const told = kmsError(error, 'kms:DescribeKey', keyId);
    const isMissing = error instanceof Error && error.name === 'NotFoundException';
    if (!isMissing || !isHoldfastError(told, 'KeyUnavailableError')) throw told;
    throw new HoldfastError(
      'KeyUnavailableError',
      `There is no key ${keyId} in ${await kms.config.region()} of this account.`,
      {
        hint: 'Use credentials of the account that the vault was deployed in; where a replica is, its keys are in the same Region.',
        cause: told,
      },
    );
  }
}
