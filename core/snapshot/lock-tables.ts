/**
 * LOCK TABLE over all tables of a run: what keeps TRUNCATE, DROP and rewrites away from a snapshot. Without it, readers of
 * an old snapshot see 0 rows and no error after a TRUNCATE.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { withoutLiterals } from '../postgres/without-rows.ts';

/** Query texts may hold secrets: this much is shown, without its literals, enough to recognise a statement. */
export const shownQueryCharacters = 80;

export interface Blocker {
  readonly pid: number;
  readonly user: string;
  readonly query: string;
}

/**
 * Takes ACCESS SHARE on each table itself (ONLY: partitions and children are in the list on their own).
 * Must be called inside a transaction; takes no snapshot, so that it can come before the first statement that does.
 *
 * @param observer another session of the same role, which finds out who blocks
 * @param seconds for all locks together: `lock_timeout` would count for each table anew
 * @throws LockNotAvailableError naming pid, user and query of the blocker; the transaction is then aborted
 */
export async function lockTables(
  session: Session,
  observer: Session,
  tables: readonly { readonly schema: string; readonly name: string }[],
  seconds: number,
): Promise<void> {
  if (tables.length === 0) return;
  const names = tables.map(
    ({ schema, name }) => `ONLY ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
  );
  await session.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.round(seconds * 1000))}`);
  let isSettled = false;
  const locking = session
    .query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`)
    .finally(() => {
      isSettled = true;
    });
  const blockers = observe(observer, session.backendPid, seconds, locking, () => isSettled);
  try {
    await locking;
  } catch (error) {
    // query_canceled: the time is over, or somebody cancelled us, who then wants the table.
    if (sqlstateOf(error) !== '57014') throw error;
    throw lockNotAvailable(await blockers, seconds, error);
  } finally {
    await blockers;
  }
  await session.query('SET LOCAL statement_timeout = 0');
}

/** Looks at least four times in `seconds`; once the statement has failed, nobody blocks it any more. */
async function observe(
  observer: Session,
  pid: number,
  seconds: number,
  locking: Promise<unknown>,
  isSettled: () => boolean,
): Promise<Blocker[]> {
  const pauseMs = Math.min(1_000, seconds * 200);
  let last: Blocker[] = [];
  const settled = locking.catch(() => undefined);
  while (true) {
    await Promise.race([settled, sleep(pauseMs)]);
    if (isSettled()) return last;
    const now = await blockersOf(observer, pid).catch(() => []);
    if (now.length > 0) last = now;
  }
}

async function blockersOf(observer: Session, pid: number): Promise<Blocker[]> {
  const blockers = await observer.query<{ pid: number; user: string; query: string }>(
    `SELECT pid, coalesce(usename, '') AS user,
            left(regexp_replace(coalesce(query, ''), '\\s+', ' ', 'g'), ${shownQueryCharacters}) AS query
       FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1)) ORDER BY xact_start`,
    [pid],
  );
  return blockers.map((one) => ({ ...one, query: withoutLiterals(one.query) }));
}

function lockNotAvailable(blockers: Blocker[], seconds: number, cause: unknown): HoldfastError {
  const who = blockers
    .map(({ pid, user, query }) => `process ${pid} of ${user} (${query})`)
    .join(', ');
  return new HoldfastError(
    'LockNotAvailableError',
    `The tables could not be locked within ${seconds} s: ${who === '' ? 'the statement was cancelled' : `behind ${who}`}.`,
    { evidence: { blockers, lockSeconds: seconds }, cause },
  );
}
