/**
 * Somebody's statement waits behind our locks, and everybody else's queues behind it: found, and answered by policy.
 *
 * The server sees no deadlock in it: without us it would wait until the backup ends, and the application with it.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { BackupOptions } from '../contract/plan.ts';
import { applicationNamePrefixOf } from '../postgres/application-name.ts';
import type { Session } from '../postgres/session.ts';
import { withoutLiterals } from '../postgres/without-rows.ts';
import { type Blocker, shownQueryCharacters } from './lock-tables.ts';

interface Waiter extends Blocker {
  readonly seconds: number;
}

/**
 * @throws BlockedDdlError naming pid, user and the beginning of the query, by policy `fail`, or when the statement that
 * waits may not be cancelled by this role
 */
export async function answerBlockedDdl(
  deps: Deps,
  session: Session,
  runId: string,
  options: Pick<BackupOptions, 'onBlockedDdl' | 'blockedDdlSeconds'>,
): Promise<void> {
  const waiting = await session.query<Waiter & { pid: number }>(waitersSql, [
    applicationNamePrefixOf(runId),
  ]);
  const late = waiting.filter(({ seconds }) => seconds >= options.blockedDdlSeconds);
  for (const found of late) {
    const waiter = { ...found, query: withoutLiterals(found.query) };
    if (options.onBlockedDdl === 'fail') throw blockedDdl(waiter, 'waits behind the backup');
    let isCancelled: boolean;
    try {
      isCancelled = await cancel(session, waiter.pid);
    } catch (cause) {
      throw blockedDdl(
        waiter,
        'waits behind the backup and may not be cancelled by its role',
        cause,
      );
    }
    if (isCancelled) {
      deps.progress({
        state: 'WatchSnapshot',
        message: `cancelled a statement that waited ${Math.round(waiter.seconds)} s behind the backup: ${name(waiter)}`,
      });
    }
  }
}

/**
 * Those that wait for a table of this database directly behind one of the run's sessions. Names and query texts of other
 * roles' sessions are null or hidden unless we are in pg_read_all_stats; the waiting itself is not.
 */
const waitersSql = `
  WITH ours AS MATERIALIZED (
    SELECT array_agg(pid) AS pids FROM pg_stat_activity
     WHERE starts_with(application_name, $1) AND pid <> pg_backend_pid()
  ), waiting AS MATERIALIZED (
    SELECT pid, min(waitstart) AS since FROM pg_locks
     WHERE NOT granted AND locktype = 'relation'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     GROUP BY pid
  )
  SELECT w.pid, coalesce(a.usename, '') AS user,
         left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), ${shownQueryCharacters}) AS query,
         coalesce(extract(epoch FROM clock_timestamp() - w.since), 0)::float8 AS seconds
    FROM waiting w CROSS JOIN ours JOIN pg_stat_activity a ON a.pid = w.pid
   WHERE w.pid <> ALL (ours.pids) AND pg_blocking_pids(w.pid) && ours.pids
   ORDER BY seconds DESC`;

/** @returns false when it does not wait any more */
async function cancel(session: Session, pid: number): Promise<boolean> {
  const rows = await session.query<{ cancelled: boolean }>(
    'SELECT pg_cancel_backend(pid) AS cancelled FROM pg_locks WHERE pid = $1 AND NOT granted LIMIT 1',
    [pid],
  );
  return rows[0]?.cancelled === true;
}

const name = ({ pid, user, query }: Blocker): string => `process ${pid} of ${user} (${query})`;

const blockedDdl = (waiter: Waiter, what: string, cause?: unknown): HoldfastError =>
  new HoldfastError(
    'BlockedDdlError',
    `A schema change has waited ${Math.round(waiter.seconds)} s: ${name(waiter)} ${what}.`,
    { evidence: { ...waiter }, cause },
  );
