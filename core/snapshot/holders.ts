/**
 * The run's sessions as the server sees them: opened, counted and ended.
 *
 * Invariant: a session is counted or ended by process id **and** name, because process ids are used again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Holder } from '../contract/plan.ts';
import { applicationNameOf, applicationNamePrefixOf } from '../postgres/application-name.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { openSession, type Session } from '../postgres/session.ts';

/** Terminating a session takes milliseconds; one that is deep in I/O a little longer. */
const endTimeoutMs = 5_000;
const endPollMs = 5;

export const openHolder = (
  settings: ConnectionSettings,
  runId: string,
  number: number,
): Promise<Session> =>
  openSession(settings, {
    applicationName: applicationNameOf(runId, `holder-${number}`),
    purpose: 'holder',
  });

export const holderOf = (
  runId: string,
  number: number,
  session: Session,
  snapshot: string,
): Holder => ({
  pid: session.backendPid,
  applicationName: applicationNameOf(runId, `holder-${number}`),
  snapshot,
});

/** One more than the highest number that was given away. */
export const nextHolderNumber = (holders: readonly Holder[]): number =>
  1 +
  Math.max(0, ...holders.map(({ applicationName }) => Number(applicationName.split('-').at(-1))));

/** Those of `holders` that the server still has. */
export async function livingHolders(
  session: Session,
  holders: readonly Holder[],
): Promise<Holder[]> {
  const named = holders.map((holder) => ({ ...holder, name: holder.applicationName }));
  const living = new Set(await stillThere(session, named));
  return holders.filter((_, index) => living.has(named[index] as (typeof named)[number]));
}

/**
 * Ends sessions of the run, and waits until they are gone. Those of the asking one's name are let be: the ends of a
 * restore and of its safety backup are told at the same time, and both are cleaned up after.
 *
 * @param which `holders`; or `all`: workers too, which hold locks on their own tables
 * @returns how many there were
 */
export async function endSessions(
  session: Session,
  runId: string,
  which: 'holders' | 'all',
): Promise<number> {
  const prefix = applicationNamePrefixOf(runId) + (which === 'holders' ? 'holder-' : '');
  // All are told at once and looked for often: with a timeout of its own the function looks every 100 ms, at one of them.
  const found = await session.query<{ pid: number; name: string; isTold: boolean }>(
    `SELECT pid, application_name AS name, pg_terminate_backend(pid) AS "isTold" FROM pg_stat_activity
      WHERE starts_with(application_name, $1) AND datname = current_database()
        AND application_name <> current_setting('application_name')`,
    [prefix],
  );
  const told = found.filter(({ isTold }) => isTold);
  let left = told.length;
  for (const end = Date.now() + endTimeoutMs; left > 0 && Date.now() < end; ) {
    await sleep(endPollMs);
    left = (await stillThere(session, told)).length;
  }
  return told.length - left;
}

async function stillThere<S extends { readonly pid: number; readonly name: string }>(
  session: Session,
  sessions: readonly S[],
): Promise<S[]> {
  const rows = await session.query<{ pid: number; name: string }>(
    'SELECT pid, application_name AS name FROM pg_stat_activity WHERE pid = ANY ($1)',
    [sessions.map(({ pid }) => pid)],
  );
  const alive = new Set(rows.map(({ pid, name }) => `${pid} ${name}`));
  return sessions.filter(({ pid, name }) => alive.has(`${pid} ${name}`));
}
