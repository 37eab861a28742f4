/** From an ErrorResponse during COPY to the error catalogue. */
import { DatabaseError } from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { mapPgError } from '../postgres/connect-errors.ts';

/** Field codes of ErrorResponse (PostgreSQL documentation, "Error and Notice Message Fields") and node-postgres' names. */
const fieldNames: Readonly<Record<string, keyof DatabaseError>> = {
  C: 'code',
  V: 'severity',
  D: 'detail',
  H: 'hint',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  P: 'position',
  n: 'constraint',
  R: 'routine',
};

/** @param body of the ErrorResponse: fields of one byte code and a zero-ended string, then a zero */
export function parseErrorResponse(body: Buffer): DatabaseError {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const end = body.indexOf(0, at + 1);
    if (end < 0) break;
    fields.set(String.fromCharCode(body[at] as number), body.toString('utf8', at + 1, end));
    at = end + 1;
  }
  const error = new DatabaseError(
    fields.get('M') ?? 'error without a message',
    body.length,
    'error',
  );
  for (const [code, name] of Object.entries(fieldNames)) {
    const value = fields.get(code);
    if (value !== undefined) Object.assign(error, { [name]: value });
  }
  return error;
}

/**
 * A row beyond 1 GB fails in the buffer of COPY ("out of memory … Cannot enlarge string buffer", from 17 on "string
 * buffer exceeds maximum allowed length") or in the output function of the value ("invalid memory alloc request size").
 * These texts are not translated in the server's C code for XX000; for 54000 the SQLSTATE tells.
 */
function isRowTooLarge(error: DatabaseError): boolean {
  if (error.code === '54000') return true;
  return /invalid memory alloc request size|string buffer exceeds maximum|Cannot enlarge string buffer/.test(
    `${error.message} ${error.detail}`,
  );
}

const encodingStates = new Set(['22021', '22P05']);

/** @param what `Reading "public"."orders"`: the sentence's beginning */
export function mapCopyError(error: DatabaseError, what: string): HoldfastError {
  const known = mapPgError(error, what, 'connected');
  const { message, evidence, cause } = known;
  if (isRowTooLarge(error)) {
    return new HoldfastError('RowTooLargeForTextError', message, { cause, evidence });
  }
  if (encodingStates.has(error.code ?? '')) {
    return new HoldfastError('EncodingError', message, { cause, evidence });
  }
  if (known.name !== 'InternalError') return known;
  return new HoldfastError('CopyFailedError', message, { cause, evidence });
}
