/**
 * What S3 said, in the catalogue's words.
 *
 * Invariants: "may not" and "could not" are never told as "is not there" (S3 answers 403 for a key that is missing to
 * whoever may not list); nothing of the request is kept, because a refused signature quotes the session's token.
 */
import { type ErrorName, HoldfastError } from '../../core/contract/errors.ts';
import { credentialsHint, failureKind, said } from '../service-failure.ts';

interface S3Error extends Error {
  readonly $fault?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly attempts?: number;
  };
}

const nameOf: Readonly<Record<string, ErrorName>> = {
  NoSuchBucket: 'VaultNotFoundError',
  NoSuchKey: 'ObjectNotFoundError',
  NoSuchVersion: 'ObjectNotFoundError',
  PreconditionFailed: 'PreconditionFailedError',
  ConditionalRequestConflict: 'PreconditionFailedError',
  InvalidRange: 'ObjectTruncatedError',
  KeyTooLongError: 'InvalidObjectKeyError',
  QuotaExceeded: 'VaultFullError',
  // The bytes changed on their way, or the upload was taken away: writing anew helps.
  BadDigest: 'VaultIoError',
  InvalidDigest: 'VaultIoError',
  XAmzContentSHA256Mismatch: 'VaultIoError',
  NoSuchUpload: 'VaultIoError',
  OperationAborted: 'VaultIoError',
  PermanentRedirect: 'ConfigurationError',
  AuthorizationHeaderMalformed: 'ConfigurationError',
  IllegalLocationConstraintException: 'ConfigurationError',
};
/** For answers that have no body, and so no name. */
const nameOfStatus: Readonly<Record<number, ErrorName>> = {
  301: 'ConfigurationError',
  307: 'ConfigurationError',
  403: 'VaultAccessDeniedError',
  409: 'PreconditionFailedError',
  412: 'PreconditionFailedError',
  416: 'ObjectTruncatedError',
  507: 'VaultFullError',
};
const hints: Partial<Record<ErrorName, string>> = {
  VaultNotFoundError: 'Name the right bucket, or deploy the stacks of this environment first.',
  VaultAccessDeniedError:
    'Give this role the rights on the bucket that the documentation lists, and look for a Deny in its policy.',
  VaultIoError: 'The step is tried again by itself; if it keeps happening look at the state of S3.',
  ConfigurationError: 'Use a client of the Region that the bucket is in.',
};

export const statusOf = (error: unknown): number | undefined =>
  (error as S3Error | undefined)?.$metadata?.httpStatusCode;

/** How often the SDK sent the request. */
export const attemptsOf = (error: unknown): number =>
  (error as S3Error | undefined)?.$metadata?.attempts ?? 1;

/** Did perhaps an earlier or lost answer say "done"? */
export const isUncertain = (error: unknown): boolean =>
  attemptsOf(error) > 1 || failureKind(error) === 'unavailable' || isLostConnection(error);

/** The answer itself broke off: no fault of anybody's request. */
export const isLostConnection = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof HoldfastError) && !('$fault' in error);

/** The catalogue's error for what the client threw; one of the catalogue passes unchanged. */
export function toVaultError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const name = errorName(error);
  const metadata = (error as S3Error | undefined)?.$metadata;
  const hint = hints[name];
  return new HoldfastError(name, `Cannot ${doing}: ${said(error)}.`, {
    cause: bare(error),
    ...(hint === undefined ? {} : { hint }),
    ...credentialsHint(error),
    evidence: { status: metadata?.httpStatusCode, requestId: metadata?.requestId },
  });
}

function errorName(error: unknown): ErrorName {
  const kind = failureKind(error);
  if (kind === 'denied') return 'VaultAccessDeniedError';
  if (kind === 'throttled' || kind === 'unavailable')
    return nameOfStatus[statusOf(error) ?? 0] ?? 'VaultIoError';
  const { name = '', message = '' } = error instanceof Error ? error : {};
  if (message.startsWith('Checksum mismatch')) return 'ObjectDamagedError';
  if (name === 'InvalidRequest' && /object lock/i.test(message)) return 'ConfigurationError';
  const known = nameOf[name] ?? nameOfStatus[statusOf(error) ?? 0];
  if (known !== undefined) return known;
  return isLostConnection(error) ? 'VaultIoError' : 'InternalError';
}

/** Name, message and stack of an error of the SDK: the rest has requests and answers in it. */
function bare(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const copy = new Error(error.message);
  copy.name = error.name;
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

export async function guarded<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toVaultError(error, doing);
  }
}

export const notFound = (key: string, what = 'there is no such object'): HoldfastError =>
  new HoldfastError('ObjectNotFoundError', `${key}: ${what}.`, { evidence: { key } });

export const truncated = (key: string, wantedEnd: number, storedBytes?: number): HoldfastError =>
  new HoldfastError(
    'ObjectTruncatedError',
    `${key} has ${storedBytes === undefined ? 'fewer' : storedBytes} bytes, but at least ${wantedEnd} were asked for.`,
    { evidence: { key, wantedEnd, ...(storedBytes === undefined ? {} : { storedBytes }) } },
  );
