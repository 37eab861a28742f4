/**
 * From an ErrorResponse to COPY … FROM STDIN to the error catalogue.
 *
 * Invariant: no value of a row leaves here (core/postgres/without-rows.ts); constraint, line and column are evidence.
 */
import type { DatabaseError } from 'pg';
import { type ErrorName, HoldfastError } from '../contract/errors.ts';
import { mapCopyError } from './server-error.ts';

const namesBySqlstate: Readonly<Record<string, ErrorName>> = {
  '53100': 'TargetFullError',
  '23505': 'RowConflictError',
};

const conflictHint =
  'The target held this row before the load: an extension put it there. Compare the versions of its extensions.';

/** The end of CONTEXT; in another language of the server there is just no line. */
const contextEnd = /, line (\d+)(?:, column ([^:]+))?(?::.*)?$/s;

/** @param what `Loading "public"."orders"`: the sentence's beginning */
export function mapCopyInError(error: DatabaseError, what: string): HoldfastError {
  const [, line, column] = contextEnd.exec(error.where ?? '') ?? [];
  const known = mapCopyError(error, what);
  const name = namesBySqlstate[error.code ?? ''] ?? known.name;
  const place = [line && `line ${line}`, column && `column ${column}`].filter(Boolean).join(', ');
  return new HoldfastError(name, place === '' ? known.message : `${known.message} (${place})`, {
    cause: known.cause,
    ...(name === 'RowConflictError' ? { hint: conflictHint } : {}),
    evidence: {
      ...known.evidence,
      ...(line === undefined ? {} : { line: Number(line) }),
      ...(column === undefined ? {} : { column }),
    },
  });
}
