/**
 * From what the server, node-postgres, TLS and the network say to the error catalogue.
 *
 * Invariant: SQLSTATE, `code` and source routine decide, not the language of a message; no message that is made here
 * holds a password, a connection string or a value of a row, nor does its cause (without-rows.ts).
 */
import pg from 'pg';
import { type ErrorName, HoldfastError } from '../contract/errors.ts';
import { withoutRows } from './without-rows.ts';

/** Where the error came up: the same broken socket means another thing before and after the session stood. */
export type ErrorPhase = 'connecting' | 'connected';

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  // A Unix socket that is not there or not ours.
  'ENOENT',
  'EACCES',
]);
const lostCodes = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED', 'ECONNABORTED']);
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/;

const bySqlstate: Readonly<Record<string, ErrorName>> = {
  '28P01': 'AuthenticationFailedError',
  '28000': 'AuthenticationFailedError',
  '3D000': 'DatabaseNotFoundError',
  '57P04': 'DatabaseNotFoundError',
  '53300': 'TooManyConnectionsError',
  '42501': 'PermissionDeniedError',
  '55P03': 'LockNotAvailableError',
  '53200': 'LockTableTooSmallError',
  '57P01': 'ConnectionLostError',
  '57P02': 'ConnectionLostError',
  '57P03': 'SourceUnreachableError',
  '57P05': 'ConnectionLostError',
};

const connectHint = 'GRANT CONNECT ON DATABASE … TO the role.';

/** The SQLSTATE of an error, or of any error that caused it; `undefined` when the server did not say it. */
export function sqlstateOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof pg.DatabaseError && at.code !== undefined) return at.code;
  }
  return undefined;
}

function nameOfServerError(error: pg.DatabaseError): ErrorName {
  const state = error.code ?? '';
  // check_enable_rls() in rls.c: "query would be affected by row-level security policy for table …".
  if (
    state === '42501' &&
    (error.routine === 'check_enable_rls' || /row-level security/.test(error.message))
  ) {
    return 'RowSecurityError';
  }
  // pg_hba.conf has a line for this user, but for the other kind of connection.
  if (state === '28000' && /no encryption|SSL/.test(error.message)) return 'TlsError';
  // Out of memory is 53200 as well.
  if (
    state === '53200' &&
    !/max_locks_per_transaction|shared memory/.test(`${error.hint} ${error.message}`)
  ) {
    return 'InternalError';
  }
  if (state.startsWith('08')) return 'ConnectionLostError';
  return bySqlstate[state] ?? 'InternalError';
}

function nameOfClientError(error: Error, phase: ErrorPhase): ErrorName {
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  const { message } = error;
  if (tlsCode.test(code) || /does not support SSL|establishing an SSL connection/.test(message)) {
    return 'TlsError';
  }
  if (/^SASL|[Pp]assword must be a string|authenticationOk/.test(message))
    return 'AuthenticationFailedError';
  const isBroken =
    lostCodes.has(code) ||
    /timeout expired|Connection terminated|not queryable|socket disconnected|has been ended/.test(
      message,
    );
  if (unreachableCodes.has(code) || isBroken) {
    return phase === 'connecting' ? 'SourceUnreachableError' : 'ConnectionLostError';
  }
  return 'InternalError';
}

/** What Node advises; authorities are named to us in another way. */
const adviceOfNode =
  /; if the root CA is installed locally, try running Node\.js with --use-system-ca/;

/** An AggregateError (several addresses of one host) has an empty message of its own. */
function textOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
  return error.message.replace(adviceOfNode, '');
}

/**
 * @param what the sentence's beginning: `Connecting to me@host:5432/shop` or `The server`
 * @returns the error itself when it is from the catalogue already
 */
export function mapPgError(error: unknown, what: string, phase: ErrorPhase): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (!(error instanceof Error))
    return new HoldfastError('InternalError', `${what}: ${String(error)}`);
  if (!(error instanceof pg.DatabaseError)) {
    return new HoldfastError(nameOfClientError(error, phase), `${what}: ${textOf(error)}.`, {
      cause: error,
    });
  }
  const name = nameOfServerError(error);
  const told = withoutRows(error);
  const { code: sqlstate, schema, table, column, constraint, hint: serverHint } = told;
  const more = [told.detail, told.where].filter((part) => part !== undefined);
  const fields = { schema, table, column, constraint, serverHint };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new HoldfastError(name, [`${what}: ${told.message}`, ...more].join(' · '), {
    cause: told,
    ...(phase === 'connecting' && name === 'PermissionDeniedError' ? { hint: connectHint } : {}),
    evidence: { sqlstate, ...Object.fromEntries(known) },
  });
}
