/**
 * A sign that a run is still worked on, for the times in which no worker is in its snapshot (all units wait for their
 * next try, a worker process is being replaced).
 *
 * The holders leave when they find the run's advisory lock free three rounds running, and a look of WatchSnapshot has
 * it for a moment only. So a look leaves a session behind that has it, shared, until the next looks are due. When
 * nobody looks any more it ends by itself, and the holders after it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deps } from '../contract/deps.ts';
import type { Run } from '../contract/plan.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { endSessions } from '../snapshot/holders.ts';
import { isOver, readSnapshot } from '../snapshot/marks.ts';

/** `holder-`: ended together with the holders, whoever ends them. */
const signName = 'holder-sign';
/** Looks are not punctual: a worker process may have to be started for one. */
const leastSeconds = 10;
const startTimeoutMs = 5_000;
const pollMs = 20;

/** Does nothing while the last sign has more than half of its time. @throws errors of the session */
export async function leaveSignOfLife(
  deps: Pick<Deps, 'workspace' | 'connectionOf'>,
  run: Run,
): Promise<void> {
  const { source, options } = run.input;
  const seconds = Math.max(leastSeconds, 2 * options.watchSeconds);
  const settings = await deps.connectionOf(source);
  await using observer = await openSession(settings, {
    applicationName: applicationNameOf(run.runId, 'watch'),
    purpose: 'control',
  });
  const applicationName = applicationNameOf(run.runId, signName);
  const fresh = await observer.query(
    `SELECT FROM pg_catalog.pg_stat_activity
      WHERE application_name = $1 AND query_start > pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $2)`,
    [applicationName, seconds / 2],
  );
  if (fresh.length > 0) return;

  const { advisoryKey } = await readSnapshot(deps.workspace, run.runId);
  const sign = await openSession(settings, { applicationName, purpose: 'holder' });
  try {
    await sign.query('SELECT pg_catalog.pg_advisory_lock_shared($1)', [advisoryKey]);
    const sleeping = sign.query(`SELECT pg_catalog.pg_sleep(${seconds})`).catch(() => undefined);
    await untilAsleep(observer, sign.backendPid, sleeping);
    // Whoever ended the holders meanwhile did not find this one.
    if (await isOver(deps.workspace, run.runId)) await endSessions(observer, run.runId, 'holders');
  } finally {
    sign.destroy();
  }
}

/** A statement that has begun goes on without its client. One that is over, because its session was ended, is no more. */
async function untilAsleep(
  observer: Session,
  pid: number,
  sleeping: Promise<unknown>,
): Promise<void> {
  let isEnded = false;
  void sleeping.then(() => {
    isEnded = true;
  });
  for (const end = Date.now() + startTimeoutMs; !isEnded && Date.now() < end; await sleep(pollMs)) {
    const asleep = await observer.query(
      `SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
      [pid],
    );
    if (asleep.length > 0) return;
  }
}
