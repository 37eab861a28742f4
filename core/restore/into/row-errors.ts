/**
 * What the target says to rows, as errors of the catalogue: which table, which constraint, how many rows.
 *
 * Invariant: no value of a row gets into a message (core/postgres/without-rows.ts).
 */
import pg from 'pg';
import { HoldfastError } from '../../contract/errors.ts';
import { mapPgError, sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { withoutRows } from '../../postgres/without-rows.ts';
import { statementError } from '../create/statement-error.ts';
import {
  countConflicts,
  countOrphans,
  foreignKey,
  isPrimaryKey,
  type KeyRows,
} from './count-rows.ts';
import { type Placing, shown, type TableName } from './placing.ts';

const uniqueViolation = '23505';
const exclusionViolation = '23P01';
export const foreignKeyViolation = '23503';

/** @param rows of the table whose statement it was; absent when it came at the end, from a constraint of any table */
export async function rowError(
  session: Session,
  error: unknown,
  placing: Placing | undefined,
  rows: KeyRows | undefined,
): Promise<unknown> {
  const sqlstate = sqlstateOf(error);
  const server = databaseErrorOf(error);
  if (sqlstate === undefined || server === undefined) return error;
  const at = { schema: server.schema ?? '', name: server.table ?? '' };
  const table = server.table === undefined ? placing?.target : at;
  const where = table === undefined ? 'the target' : shown(table);
  const constraint = server.constraint ?? '';
  const evidence = { table: where, constraint, sqlstate };
  if (sqlstate === uniqueViolation || sqlstate === exclusionViolation) {
    const count = rows && (await countConflicts(session, rows, constraint));
    const isByKey = rows === undefined || (await isPrimaryKey(session, rows, constraint));
    return new HoldfastError('RowConflictError', conflictMessage(where, constraint, count), {
      evidence: { ...evidence, rows: count },
      ...(count === 0 ? { hint: 'Put them beside it with --as or --into-schema.' } : {}),
      ...(isByKey ? {} : { hint: otherKeyHint }),
    });
  }
  if (sqlstate === foreignKeyViolation) {
    const key = rows && (await foreignKey(session, rows.targetOid, constraint));
    const count = rows && key && (await countOrphans(session, rows, key));
    return orphans({ table: where, parent: key?.parentTable, constraint, count }, true);
  }
  if (/^(22|23|P0)/.test(sqlstate)) {
    return new HoldfastError(
      'RestoreStatementError',
      `${where} refuses rows of the backup (SQLSTATE ${sqlstate}): ${withoutRows(server).message}.`,
      { evidence, hint: 'The table was changed since. Put the rows beside it with --as.' },
    );
  }
  return statementError(mapPgError(error, 'The target', 'connected'), `rows of ${where}`);
}

const otherKeyHint =
  '--on-conflict goes by the primary key, and these have another one. Put them beside the table with --as or --into-schema, or change the rows of the target that hold the values.';

function conflictMessage(table: string, constraint: string, count: number | undefined): string {
  if (count === 0)
    return `Rows of the backup conflict with each other in ${table} (constraint ${constraint}).`;
  const rows = count === 1 ? '1 row' : `${count ?? 'At least 1'} rows`;
  return `${rows} of the backup for ${table} have a key that is there already (constraint ${constraint}).`;
}

interface Orphans {
  readonly table: string;
  /** The table that they refer to, where it can be told. */
  readonly parent: TableName | undefined;
  readonly constraint: string;
  readonly count: number | undefined;
}

/** @param exists the constraint is there and enforced; else it was to be made */
export function orphans(
  { table, parent, constraint, count }: Orphans,
  exists: boolean,
): HoldfastError {
  const rows = count === 1 ? '1 row' : `${count ?? 'At least 1'} rows`;
  const of = parent === undefined ? '' : ` of ${shown(parent)}`;
  const other =
    parent === undefined ? 'the table they refer to' : `${shown(parent)}, the table they refer to,`;
  return new HoldfastError(
    'OrphanedRowsError',
    `${rows} of ${table} would refer to rows${of} that are not there (foreign key ${constraint}).`,
    {
      evidence: { table, constraint, rows: count, ...(parent && { parent: shown(parent) }) },
      hint: exists
        ? `Restore ${other} as well. This foreign key is in force, so --allow-orphans cannot help; --as puts the rows beside.`
        : `Restore ${other} as well, or accept it with --allow-orphans.`,
    },
  );
}

export function databaseErrorOf(error: unknown): pg.DatabaseError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof pg.DatabaseError) return at;
  }
  return undefined;
}
