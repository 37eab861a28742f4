/**
 * The session of a unit: alone under its name, in the run's snapshot, with its tables locked and unchanged since.
 *
 * Invariant: when it is handed out, each table that the unit reads is, block for block, the one of the snapshot. The lock
 * keeps it so; the comparison of file nodes finds what happened between the snapshot and the lock.
 */
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Slice, SnapshotRecord } from '../contract/plan.ts';
import { quotedTable, type TableSlice } from '../copy/copy-statement.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { endPredecessors } from '../postgres/end-predecessors.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { importSnapshot } from '../snapshot/import-snapshot.ts';
import { requireUnchanged } from '../snapshot/unchanged-tables.ts';

/** undefined_table, invalid_schema_name: it was there in the snapshot. */
const vanishedStates = new Set(['42P01', '3F000']);

/**
 * @throws SnapshotLostError, TableChangedError, LockNotAvailableError, and what `openSession` throws
 */
export async function openWorkerSession(
  settings: ConnectionSettings,
  applicationName: string,
  snapshot: SnapshotRecord,
  slices: readonly Slice[],
): Promise<Session> {
  const session = await openSession(settings, { applicationName, purpose: 'worker' });
  try {
    // A worker that was frozen or killed leaves a session that still holds locks and reads.
    await endPredecessors(session, applicationName);
    await importSnapshot(session, snapshot);
    const tables = distinctTables(slices);
    await lockTables(session, tables);
    await requireUnchanged(session, tables);
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

/** Tables of the slices, each once. */
export function distinctTables(slices: readonly Slice[]): TableSlice[] {
  const tables = slices.filter((slice) => slice.of === 'table');
  return [...new Map(tables.map((slice) => [slice.oid, slice])).values()];
}

/** NOWAIT: who waited behind somebody's ALTER would make everybody else wait behind both. */
async function lockTables(session: Session, tables: readonly TableSlice[]): Promise<void> {
  if (tables.length === 0) return;
  const names = tables.map((table) => `ONLY ${quotedTable(table)}`).join(', ');
  try {
    await session.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE NOWAIT`);
  } catch (error) {
    if (!vanishedStates.has(sqlstateOf(error) ?? '')) throw error;
    const message = isHoldfastError(error) ? error.message : String(error);
    throw new HoldfastError('TableChangedError', `A table of the snapshot is gone: ${message}`, {
      cause: error,
    });
  }
}

/** Blocks of a table as it is now: at least as many as in the snapshot. */
export async function blocksOf(session: Session, oid: number): Promise<number> {
  const [row] = await session.query<{ blocks: number }>(
    `SELECT (pg_catalog.pg_relation_size($1::pg_catalog.oid::pg_catalog.regclass)
       / pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int4 AS blocks`,
    [oid],
  );
  return row?.blocks ?? 0;
}
