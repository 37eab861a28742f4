/**
 * The rows of one staging table into its target, in the caller's transaction.
 *
 * Invariants: every row of the backup is in the staging table, or nothing is written (it is not logged: a crash of the
 * server empties it); a row that is there already is treated as `onConflict` says, by primary key, and in no other way.
 */
import type pg from 'pg';
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { mapPgError } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import type { Merged } from '../cutover/database-facts.ts';
import { isHashedUnportably } from '../load/load-target.ts';
import { type Placing, quoted, shown, stagingOf, type TableName } from './placing.ts';
import { rowError } from './row-errors.ts';
import { type RowSource, rowSource } from './row-source.ts';
import { withOwnSearchPath } from './search-path.ts';
import type { TargetTable } from './target-table.ts';

/** @throws RowConflictError, OrphanedRowsError, RestoreStatementError, RestoreDifferentError, UsageError */
export async function writeRows(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  target: TargetTable,
  isNew: boolean,
): Promise<Merged> {
  const source = rowSource(run, placing, target);
  await requireStaged(session, run, placing);
  await keepSelected(session, run, placing, source);
  const into = quoted(await placeOf(session, placing));
  const columns = source.columns.length === 0 ? '' : ` (${source.columns.join(', ')})`;
  const select = `SELECT ${source.columns.join(', ')} FROM ${source.from}`;
  const insert = `INSERT INTO ${into}${columns} OVERRIDING SYSTEM VALUE ${select}${isNew ? '' : conflictClause(run, placing, target)}`;
  await session.query('SAVEPOINT rows');
  try {
    const written = await withOwnSearchPath(session, () => countOf(session, insert));
    const rows =
      isNew || run.input.selection.onConflict !== 'skip'
        ? written
        : await selected(
            session,
            `SELECT pg_catalog.count(*) FROM ${stagingOf(run, placing.index)}`,
          );
    await session.query('RELEASE SAVEPOINT rows');
    return { table: shown(placing.target), rows, written, different: 0, isNew };
  } catch (error) {
    await session.query('ROLLBACK TO SAVEPOINT rows');
    throw await rowError(session, error, placing, { source, targetOid: target.oid });
  }
}

async function requireStaged(session: Session, run: RestoreRun, placing: Placing): Promise<void> {
  const { rows } = placing.table;
  const staged = await selected(
    session,
    `SELECT pg_catalog.count(*) FROM ${stagingOf(run, placing.index)}`,
  );
  if (staged === rows) return;
  throw new HoldfastError(
    'RestoreDifferentError',
    `${staged} rows of ${shown(placing.table)} are staged; the backup has ${rows}.`,
    { hint: 'The target server has crashed meanwhile. Nothing was written; restore again.' },
  );
}

/**
 * Of the staged rows only those that `where` lets pass, for all that follows. A rollback brings the others back.
 *
 * @throws RestoreStatementError when the condition fails on a row
 */
async function keepSelected(
  session: Session,
  run: RestoreRun,
  placing: Placing,
  { fromOne }: RowSource,
): Promise<void> {
  const condition = run.input.selection.where;
  if (condition === undefined) return;
  const staging = stagingOf(run, placing.index);
  await session.query('SAVEPOINT selecting');
  try {
    await session.query(
      `DELETE FROM ${staging} AS s WHERE (SELECT (\n${condition}\n) FROM ${fromOne}) IS NOT TRUE`,
    );
  } catch (error) {
    await session.query('ROLLBACK TO SAVEPOINT selecting');
    throw await rowError(session, error, placing, undefined);
  }
}

/** A hash partition's rows go through the partitioned table, where their place may be another than at the source. */
export async function placeOf(
  session: Session,
  { target, table, isBeside }: Placing,
): Promise<TableName> {
  const isRouted =
    !isBeside && table.root !== undefined && (await isHashedUnportably(session, target));
  return isRouted && table.root !== undefined ? table.root : target;
}

function conflictClause(run: RestoreRun, placing: Placing, target: TargetTable): string {
  const { onConflict } = run.input.selection;
  if (onConflict !== 'skip' && onConflict !== 'replace') return '';
  const key = ` ON CONFLICT (${target.primaryKey.map(identifier).join(', ')})`;
  const others = placing.table.columns.filter((column) => !target.primaryKey.includes(column));
  if (onConflict === 'skip' || others.length === 0) return `${key} DO NOTHING`;
  const sets = others.map((column) => `${identifier(column)} = EXCLUDED.${identifier(column)}`);
  return `${key} DO UPDATE SET ${sets.join(', ')}`;
}

async function selected(session: Session, sql: string): Promise<number> {
  const [row] = await session.query<{ count: string }>(sql);
  return Number(row?.count ?? 0);
}

/** Rows that a statement has touched, as the server's CommandComplete says. */
async function countOf(session: Session, sql: string): Promise<number> {
  try {
    const result: pg.QueryResult = await session.client.query(sql);
    return result.rowCount ?? 0;
  } catch (error) {
    throw mapPgError(error, 'The target', 'connected');
  }
}
