/**
 * What kind of failure an AWS client reported, in four kinds that decide what happens next.
 *
 * Invariant: "denied" is never "not found", and what nobody knows is not retried as if it were the network.
 */

export type FailureKind =
  /** The credentials, or what they may do. */
  | 'denied'
  | 'throttled'
  /** No answer, or a fault of the service's own: the same call may succeed later. */
  | 'unavailable'
  /** The service understood and refused: the request, or the thing that it names. */
  | 'refused';

interface SdkError extends Error {
  readonly code?: unknown;
  readonly $fault?: 'client' | 'server';
  readonly $retryable?: { readonly throttling?: boolean };
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const denied =
  /^(AccessDenied(Exception)?|UnauthorizedOperation|AuthFailure|NotAuthorized|UnrecognizedClient(Exception)?|InvalidClientTokenId|InvalidSignature(Exception)?|SignatureDoesNotMatch|ExpiredToken(Exception)?|RequestExpired|InvalidAccessKeyId|InvalidToken|MissingAuthenticationToken(Exception)?|CredentialsProviderError|TokenProviderError|OptInRequired)$/;
const throttled =
  /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ProvisionedThroughputExceeded|BandwidthLimitExceeded|RequestThrottled)/;
/** Faults of the service that some services report as the caller's. */
const unavailable =
  /^(KeyUnavailable|DependencyTimeout|KMSInternal|InternalFailure|InternalServerError|InternalServiceError|ServiceUnavailable|TimeoutError|RequestTimeout|AbortError|NetworkingError)/;

export function failureKind(error: unknown): FailureKind {
  if (!(error instanceof Error)) return 'refused';
  const { name, code, $fault, $retryable, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode ?? 0;
  if (denied.test(name)) return 'denied';
  if ($retryable?.throttling === true || throttled.test(name) || status === 429) return 'throttled';
  if (unavailable.test(name) || $fault === 'server' || status >= 500) return 'unavailable';
  // Without an answer there is no fault of anybody: sockets tell by a code, ECONNREFUSED and its like.
  return $fault === undefined && typeof code === 'string' ? 'unavailable' : 'refused';
}

const hintsOfCredentials: readonly (readonly [RegExp, string])[] = [
  [
    /^(ExpiredToken|RequestExpired)/,
    'The credentials have run out: log in again (aws sso login, or new temporary credentials).',
  ],
  [
    /^(InvalidAccessKeyId|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature|InvalidToken|MissingAuthenticationToken)/,
    'AWS does not take these credentials: `aws sts get-caller-identity` must answer with the account of the deployment.',
  ],
];

/** What to do when it is the credentials themselves that were refused; nothing when it is what they may do. */
export function credentialsHint(error: unknown): { readonly hint?: string } {
  const name = error instanceof Error ? error.name : '';
  const [, hint] = hintsOfCredentials.find(([names]) => names.test(name)) ?? [];
  return hint === undefined ? {} : { hint };
}

/** The service's own words, on one line; they name roles and resources, never contents. */
export function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message } = error;
  const text = message.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return text === '' || text === 'UnknownError' ? name : `${name}: ${text}`;
}
