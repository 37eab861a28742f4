/** From what KMS reports to the catalogue; docs: "Errors" of each KMS operation in its API reference. */
import { type ErrorName, HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import { credentialsHint, type FailureKind, failureKind, said } from '../service-failure.ts';

/** What KMS says of a key or a ciphertext, by its own names. */
const byName: Readonly<Record<string, ErrorName>> = {
  DisabledException: 'KeyUnavailableError',
  /** Waits for deletion, or for its material. */
  KMSInvalidStateException: 'KeyUnavailableError',
  NotFoundException: 'KeyUnavailableError',
  /** The ciphertext was changed, or belongs to another encryption context. */
  InvalidCiphertextException: 'DecryptionError',
  /** Wrapped by another key than the message says: exchanged. */
  IncorrectKeyException: 'DecryptionError',
};

const byKind: Readonly<Record<FailureKind, ErrorName>> = {
  denied: 'KeyAccessDeniedError',
  throttled: 'KeyThrottledError',
  unavailable: 'KeyServiceError',
  refused: 'ConfigurationError',
};

/** @param action as in a policy: `kms:Decrypt` */
export function kmsError(error: unknown, action: string, keyArn: string): HoldfastError {
  if (isHoldfastError(error)) return error;
  const name = error instanceof Error ? error.name : '';
  return new HoldfastError(
    byName[name] ?? byKind[failureKind(error)],
    `${action} with the key ${keyArn} failed: ${said(error)}.`,
    { cause: error, evidence: { action, key: keyArn }, ...credentialsHint(error) },
  );
}
