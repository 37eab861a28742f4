/**
 * Where a run's snapshot comes from: tables are locked first, then the snapshot is fixed, then it is shown that the
 * locked tables are those of the snapshot. And how a second session joins it with locks of its own.
 *
 * Invariant: every table that the snapshot shows as belonging to the run is locked by this very session, since before
 * the snapshot; nothing can have been truncated or rewritten between.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Filters } from '../contract/filters.ts';
import { type SelectedTable, selectTables } from '../plan/select-tables.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { lockTables } from './lock-tables.ts';

export interface FixedSnapshot {
  readonly name: string;
  readonly instant: string;
  readonly lsn: string | null;
  readonly visibility: string;
}

/** A table or schema of the list was renamed or dropped before it could be locked. */
const vanishedStates = new Set(['42P01', '3F000']);

export const hasVanished = (error: unknown): boolean => vanishedStates.has(sqlstateOf(error) ?? '');

/**
 * Leaves the session in the transaction that holds snapshot and locks.
 *
 * @returns undefined when the tables changed between listing and locking: begin again with a new session
 * @throws LockNotAvailableError; errors of `selectTables`
 */
export async function fixSnapshot(
  session: Session,
  observer: Session,
  options: { tables: readonly SelectedTable[]; filters: Filters; lockSeconds: number },
): Promise<FixedSnapshot | undefined> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await lockTables(session, observer, options.tables, options.lockSeconds);
  } catch (error) {
    if (hasVanished(error)) return undefined;
    throw error;
  }
  const moment = await firstSelect(session);
  const seen = await selectTables(session, options.filters);
  if (!isSameList(options.tables, seen) || !(await isAllLocked(session, seen))) return undefined;
  return { ...moment, name: await exportSnapshot(session) };
}

/**
 * Brings another session into an exported snapshot and gives it locks of its own. The exporter still holds its locks,
 * so the tables of the snapshot bear the same names.
 */
export async function joinSnapshot(
  session: Session,
  observer: Session,
  options: { name: string; tables: readonly SelectedTable[]; lockSeconds: number },
): Promise<string> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.query(`SET TRANSACTION SNAPSHOT '${options.name}'`);
  await lockTables(session, observer, options.tables, options.lockSeconds);
  return exportSnapshot(session);
}

export async function exportSnapshot(session: Session): Promise<string> {
  const [row] = await session.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
  if (row === undefined)
    throw new HoldfastError('InternalError', 'The server exported no snapshot.');
  return row.name;
}

type Moment = Omit<FixedSnapshot, 'name'>;

/** The statement that fixes the snapshot: what was committed before its start is in it. */
async function firstSelect(session: Session): Promise<Moment> {
  const select = (lsn: string) =>
    session.query<Moment>(
      `SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS instant,
              pg_current_snapshot()::text AS visibility, ${lsn} AS lsn`,
    );
  await session.query('SAVEPOINT before_lsn');
  let rows: Moment[];
  try {
    rows = await select(
      'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text',
    );
    await session.query('RELEASE SAVEPOINT before_lsn');
  } catch (error) {
    // Some managed servers have no such position or show it to nobody; it is for people only.
    if (sqlstateOf(error) === undefined) throw error;
    await session.query('ROLLBACK TO SAVEPOINT before_lsn');
    await session.query('RELEASE SAVEPOINT before_lsn');
    rows = await select('NULL');
  }
  const [moment] = rows;
  if (moment === undefined) throw new HoldfastError('InternalError', 'The server told no time.');
  return moment;
}

function isSameList(locked: readonly SelectedTable[], seen: readonly SelectedTable[]): boolean {
  const key = ({ oid, schema, name }: SelectedTable) => JSON.stringify([oid, schema, name]);
  const before = new Set(locked.map(key));
  return locked.length === seen.length && seen.every((table) => before.has(key(table)));
}

/**
 * By name we might have locked another table than the one that bears the name now: the lock table tells. That the
 * files are those of the snapshot follows from it, and is asserted too: reading another file would give 0 rows.
 */
async function isAllLocked(session: Session, tables: readonly SelectedTable[]): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM unnest($1::oid[]) AS given(oid)
       LEFT JOIN pg_class c ON c.oid = given.oid
       LEFT JOIN pg_locks l ON l.relation = given.oid AND l.pid = pg_backend_pid() AND l.granted
             AND l.locktype = 'relation' AND l.mode = 'AccessShareLock'
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      WHERE l.pid IS NULL
         OR (c.relkind = 'r' AND c.relfilenode <> 0 AND c.relfilenode <> pg_relation_filenode(c.oid))
      LIMIT 1`,
    [tables.map(({ oid }) => oid)],
  );
  return rows.length === 0;
}
