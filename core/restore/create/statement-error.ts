/**
 * What the target says to a statement of the backup, as an error of the catalogue that names the object.
 *
 * Invariant: the server's own message is quoted, its details are not; where there are rows already, only what holds none
 * of their values (core/postgres/without-rows.ts).
 */
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import { asSaid, withoutRows } from '../../postgres/without-rows.ts';

const diskFull = '53100';
const missingRight = '42501';

/**
 * @param what `TABLE public.orders`
 * @param reads whether the statement may have read rows; those of an empty database have none to read
 */
export function statementError(
  error: unknown,
  what: string,
  reads: 'nothing' | 'rows' = 'rows',
): unknown {
  if (isHoldfastError(error, 'RestoreStatementError', 'TargetFullError')) return error;
  const sqlstate = sqlstateOf(error);
  // A broken connection, too small a lock table: they have names of their own and are not this statement's fault.
  const isOurs = isHoldfastError(
    error,
    'InternalError',
    'PermissionDeniedError',
    'RowSecurityError',
  );
  if (sqlstate === undefined || !isOurs) return error;
  const said = asSaid(error);
  const server = reads === 'nothing' ? said : said && withoutRows(said);
  const evidence = { object: what, sqlstate };
  const message = `${what}: ${server?.message ?? 'refused'} (SQLSTATE ${sqlstate})`;
  if (sqlstate === diskFull) {
    return new HoldfastError('TargetFullError', message, { cause: error, evidence });
  }
  const hint = sqlstate === missingRight ? rightsHint : server?.hint;
  return new HoldfastError('RestoreStatementError', message, {
    cause: error,
    evidence,
    ...(hint === undefined ? {} : { hint }),
  });
}

const rightsHint =
  'Restore as a role that may do it (a superuser, or a member of the owners), or with --no-owner and --no-privileges.';
