/**
 * What the target says when it refuses a statement of a build, as an error of the catalogue.
 *
 * Invariant: neither the statement nor a row's values are in the message (core/postgres/without-rows.ts).
 */
import { type ErrorName, HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';

/** Errors of the server and the network as they stand: another attempt may have more luck. */
const passedOn: readonly ErrorName[] = [
  'ConnectionLostError',
  'SourceUnreachableError',
  'TooManyConnectionsError',
  'LockTableTooSmallError',
  'RunAbortedError',
];

const hints: Readonly<Record<string, string>> = {
  '23505':
    'The rows of the backup are not unique there. The source has the duplicates too, as a damaged index or another collation version leaves them: remove them at the source and back up again.',
  '23503':
    'Rows of the backup refer to rows that are not there. The source has them too: they were written while its triggers were disabled. Mend them there and back up again.',
  '23514':
    'Rows of the backup do not fulfil the condition. The source has them too. Mend them there and back up again.',
  '23P01': 'Rows of the backup exclude each other. Mend them at the source and back up again.',
  '42501': 'Restore as the owner of the source database, or as a superuser.',
  '42704': 'Something that it needs is not on the target server; the message names it.',
  '57014': 'Somebody cancelled the statement at the target. Run the same command again.',
};

/** @param label what was built: `INDEX shop.orders_made` */
export function buildError(error: unknown, label: string): unknown {
  const sqlstate = sqlstateOf(error);
  if (!isHoldfastError(error) || sqlstate === undefined || passedOn.includes(error.name))
    return error;
  const said = serverMessage(error);
  const evidence = { object: label, sqlstate };
  if (sqlstate === '53100') {
    return new HoldfastError('TargetFullError', `${label}: ${said}`, {
      evidence,
      cause: error.cause,
    });
  }
  // A deadlock with somebody else: the transaction was rolled back and can be run again.
  if (sqlstate === '40P01') {
    return new HoldfastError('LockNotAvailableError', `${label}: ${said}`, {
      evidence,
      cause: error.cause,
    });
  }
  const serverHint = error.evidence['serverHint'];
  const hint = hints[sqlstate] ?? (typeof serverHint === 'string' ? serverHint : undefined);
  return new HoldfastError('RestoreStatementError', `${label}: ${said} (SQLSTATE ${sqlstate})`, {
    evidence,
    cause: error.cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What the server said, without its detail and context. */
export function serverMessage(error: unknown): string {
  if (error instanceof HoldfastError && error.cause instanceof Error) return error.cause.message;
  return error instanceof Error ? error.message : String(error);
}
