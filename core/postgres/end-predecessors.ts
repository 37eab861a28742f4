/**
 * Ends the sessions that an earlier attempt at the same work (frozen, or killed with the server not knowing yet) left.
 *
 * Invariant: afterwards the caller's session is the only one of its name, so nobody else writes or holds locks for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from './session.ts';

/** A backend that is told to terminate ends at its next interrupt check, at the latest when its send fails. */
const waitMs = 15_000;
const pollMs = 50;

/**
 * @param applicationName the name that the caller's own session bears as well; names of sessions are unique on a server
 * @throws TaskTimedOutError when one of them is still there after 15 s
 */
export async function endPredecessors(session: Session, applicationName: string): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const others = await session.query<{ pid: number }>(
      `SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
        WHERE application_name = $1 AND usename = session_user AND pid <> pg_catalog.pg_backend_pid()`,
      [applicationName],
    );
    if (others.length === 0) return;
    if (Date.now() > deadline) {
      throw new HoldfastError(
        'TaskTimedOutError',
        `Process ${others[0]?.pid} of an earlier attempt (${applicationName}) does not end.`,
        { evidence: { pids: others.map(({ pid }) => pid) } },
      );
    }
    await sleep(pollMs);
  }
}
