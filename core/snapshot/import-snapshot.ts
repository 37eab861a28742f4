/**
 * How a session comes into the run's snapshot: the only way for workers, the schema dump and checks.
 *
 * Invariant: the session sees what the run's snapshot sees, or the call throws. The run's advisory lock is taken
 * first and shared, until the session ends: while anybody holds it, no holder leaves (hold-loop.ts).
 */
import { HoldfastError } from '../contract/errors.ts';
import type { SnapshotRecord } from '../contract/plan.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';

/** What an exported name that is no more answers: no such snapshot (up to 16; from 17), its process has ended. */
const goneStates = new Set(['22023', '42704', '55000']);

/**
 * Begins a transaction (REPEATABLE READ, READ ONLY) in the run's snapshot; the caller ends it.
 * Must be called outside a transaction.
 *
 * @returns the exported name that worked, good for another session as long as its holder lives
 * @throws SnapshotLostError when no holder's name can be imported; errors of the session as they are
 */
export async function importSnapshot(
  session: Session,
  record: SnapshotRecord,
): Promise<{ snapshot: string }> {
  await session.query('SELECT pg_advisory_lock_shared($1)', [record.advisoryKey]);
  for (const { snapshot } of record.holders) {
    if (await tryImport(session, snapshot, record.visibility)) return { snapshot };
  }
  throw new HoldfastError(
    'SnapshotLostError',
    `The snapshot of ${record.instant} is no more: none of its ${record.holders.length} holders can be reached.`,
    { evidence: { holders: record.holders } },
  );
}

async function tryImport(session: Session, name: string, visibility: string): Promise<boolean> {
  // The name goes into the text: SET knows no parameters.
  if (!/^[0-9A-Fa-f-]+$/.test(name)) return false;
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await session.query(`SET TRANSACTION SNAPSHOT '${name}'`);
  } catch (error) {
    if (!goneStates.has(sqlstateOf(error) ?? '')) throw error;
    await session.query('ROLLBACK');
    return false;
  }
  // Names count from the start of the server: after a restart, another's snapshot may have this name.
  const [row] = await session.query<{ visibility: string }>(
    'SELECT pg_current_snapshot()::text AS visibility',
  );
  if (row?.visibility === visibility) return true;
  await session.query('ROLLBACK');
  return false;
}
