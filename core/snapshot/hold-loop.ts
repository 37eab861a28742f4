/**
 * The statement with which a session of the server keeps a snapshot and its locks after its client has gone, and leaves
 * by itself when nobody works on the run any more (dead man's switch).
 *
 * Invariants: it leaves after three rounds running in which it could have the run's advisory lock alone, and at the
 * deadline whatever happens. `detach` returns only when the server has been seen running it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from '../postgres/session.ts';

export interface HoldTimes {
  readonly roundSeconds: number;
  readonly deadlineSeconds: number;
}

const roundsWithNobody = 3;
/** Sending one statement to a session that is idle. */
const detachTimeoutMs = 15_000;
const pollMs = 20;

/** The lock is given back at once: it is a question, and workers wait for microseconds at most. */
function loopStatement(advisoryKey: string, { roundSeconds, deadlineSeconds }: HoldTimes): string {
  return `DO $holdfast$
DECLARE
  nobody int4 := 0;
  deadline timestamptz := clock_timestamp() + make_interval(secs => ${Number(deadlineSeconds)});
BEGIN
  LOOP
    PERFORM pg_sleep(${Number(roundSeconds)});
    IF pg_try_advisory_lock(${BigInt(advisoryKey)}) THEN
      PERFORM pg_advisory_unlock(${BigInt(advisoryKey)});
      nobody := nobody + 1;
    ELSE
      nobody := 0;
    END IF;
    EXIT WHEN nobody >= ${roundsWithNobody} OR clock_timestamp() >= deadline;
  END LOOP;
END $holdfast$`;
}

/**
 * Starts the loop in a session (purpose `holder`: client_connection_check_interval = 0) and drops its socket. The
 * transaction ends when the loop does, because the server then finds the client gone.
 *
 * @param observer another session of the same role
 * @throws what the server answers instead; ConnectionLostError when the loop does not come up
 */
export async function detach(
  session: Session,
  observer: Session,
  advisoryKey: string,
  times: HoldTimes,
): Promise<void> {
  let failure: unknown;
  session.query(loopStatement(advisoryKey, times)).then(
    () => {
      failure = new HoldfastError('InternalError', 'The holder left before anybody used it.');
    },
    (error: unknown) => {
      failure = error;
    },
  );
  const until = Date.now() + detachTimeoutMs;
  // Its sleep is seen whatever track_activities says, and proves that the whole statement has arrived and runs.
  while (!(await isSleeping(observer, session.backendPid))) {
    if (failure !== undefined) throw failure;
    if (Date.now() > until) {
      throw new HoldfastError(
        'ConnectionLostError',
        `The session ${session.backendPid} did not begin to hold the snapshot within ${detachTimeoutMs} ms.`,
      );
    }
    await sleep(pollMs);
  }
  session.destroy();
}

async function isSleeping(observer: Session, pid: number): Promise<boolean> {
  const rows = await observer.query(
    `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
    [pid],
  );
  return rows.length > 0;
}
