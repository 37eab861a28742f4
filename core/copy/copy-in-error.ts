/**
 * From an ErrorResponse to COPY … FROM STDIN to the error catalogue.
 *
 * Invariant: no value of a row leaves here. DETAIL (`Key (id)=(1) already exists.`) and CONTEXT (`COPY t, line 3: "1 …"`)
 * hold rows, and the message itself does where a value cannot be read; constraint, line and column are evidence instead.
 */
import { DatabaseError } from 'pg';
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
  const known = mapCopyError(withoutValues(error), what);
  const name = namesBySqlstate[error.code ?? ''] ?? known.name;
  const place = [line && `line ${line}`, column && `column ${column}`].filter(Boolean).join(', ');
  return new HoldfastError(name, place === '' ? known.message : `${known.message} (${place})`, {
    cause: known.cause,
    ...(name === 'RowConflictError' ? { hint: conflictHint } : {}),
    evidence: {
      ...known.evidence,
      ...(error.constraint === undefined ? {} : { constraint: error.constraint }),
      ...(line === undefined ? {} : { line: Number(line) }),
      ...(column === undefined ? {} : { column }),
    },
  });
}

function withoutValues(error: DatabaseError): DatabaseError {
  const clean = new DatabaseError(messageOf(error), error.length, error.name);
  const { code, hint, schema, table, routine, constraint } = error;
  return Object.assign(clean, { code, hint, schema, table, routine, constraint });
}

function messageOf({ code = '', message }: DatabaseError): string {
  // Data exceptions quote the value: from the first quotation mark to the last, in any language.
  if (code.startsWith('22')) return message.replace(/["'«»„“‘].*["'«»“”’]/s, '…');
  // RAISE in a function of the user's: anything may stand there.
  if (code.startsWith('P0')) return `a function raised ${code}; its text is in the server's log`;
  return message;
}
