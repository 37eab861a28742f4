/**
 * Makes the target server as it was before a restore that failed: sessions ended, what was half made dropped, the
 * database that was to be replaced open again.
 */
import type { Deps } from '../../contract/deps.ts';
import { isHoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf, applicationNamePrefixOf } from '../../postgres/application-name.ts';
import type { Session } from '../../postgres/session.ts';
import { plural } from '../../report/format.ts';
import type { Attempts } from '../../run/attempt.ts';
import { cutoverOf, noteIfExchanged, noteIfMerged, wayBackOf } from '../conclude.ts';
import { dropCreatedRoles } from '../create/roles.ts';
import { stateOf } from '../create/work-database.ts';
import {
  type CutoverBegun,
  type CutoverDone,
  cutoverBegunSchema,
  databaseNamed,
  openBeside,
} from '../cutover/database-facts.ts';
import { setAllowed } from '../cutover/exchange.ts';
import { dropDatabase } from '../drop-database.ts';
import { bookkeepingOwner, bookkeepingSchemaOf, dropBookkeeping } from '../progress.ts';
import { readFact } from '../restore-run.ts';
import { openTarget } from '../target-session.ts';

/** Terminating takes milliseconds; a session that is deep in I/O a little longer. */
const endTimeoutMs = 5_000;
const what = 'fail';

type Clearing = Pick<Attempts, 'attempt' | 'noteCleaned'>;

/** @param clearing each step goes through `attempt`, so that none keeps the others from being tried */
export async function clearTarget(deps: Deps, run: RestoreRun, clearing: Clearing): Promise<void> {
  const { attempt, noteCleaned } = clearing;
  // Nothing was made, and the server may be the very thing that is wrong.
  if (run.preflight.some(({ verdict }) => verdict === 'failed')) return;
  const done = await attempt('Whether the cutover has happened could not be read', async () => ({
    fact: await cutoverOf(deps, run),
    begun: await readFact(deps.workspace, run.runId, 'cutover-begun', cutoverBegunSchema),
  }));
  // Nothing is dropped by one that does not know.
  if (done === undefined || run.input.dryRun) return;
  if (done.fact !== undefined) return noteCleaned(wayBackOf(run, done.fact));
  const isInto = run.input.mode === 'into';
  const left = isInto
    ? `schema ${bookkeepingSchemaOf(run)} of database ${JSON.stringify(run.finalDatabase)}`
    : `database ${JSON.stringify(run.workDatabase)}`;
  const uncleared = `The target server could not be cleared, and ${left} may be left (\`holdfast cancel\` of the run tries again)`;
  await attempt(uncleared, async () => {
    const names = [run.workDatabase, run.finalDatabase, run.previousDatabase];
    await using session = await openBeside(deps, run, what, isInto ? [] : names);
    await attempt('Sessions of the run could not be ended', async () => {
      const ended = await endSessions(session, run.runId);
      if (ended > 0) noteCleaned(`${plural(ended, 'session')} on the target ended`);
    });
    if (isInto)
      await attempt('The staging schema could not be dropped', async () => {
        const was = await clearInto(deps, run);
        if (was === 'dropped') noteCleaned(`${left} dropped`);
        else if (was !== null) noteCleaned(wayBackOf(run, was));
      });
    else await clearDatabases(deps, run, done.begun, session, clearing);
  });
}

async function clearDatabases(
  deps: Deps,
  run: RestoreRun,
  begun: CutoverBegun | undefined,
  session: Session,
  { attempt, noteCleaned }: Clearing,
): Promise<void> {
  const exchanged = await attempt('The restored database could not be looked up', () =>
    noteIfExchanged(deps, run, begun, session),
  );
  // It cannot be undone under clients that work in it already: that is for a person to decide.
  if (exchanged != null) return noteCleaned(wayBackOf(run, exchanged));
  const previous = begun?.previous ?? null;
  if (previous?.allowsConnections === true) {
    await attempt(
      `Database ${JSON.stringify(previous.name)} could not be opened again`,
      async () => {
        const wasClosed = await setAllowed(session, previous.oid, true);
        if (wasClosed) noteCleaned(`database ${JSON.stringify(previous.name)} opened again`);
      },
    );
  }
  if (exchanged === undefined) return;
  const work = JSON.stringify(run.workDatabase);
  await attempt(`Database ${work} could not be dropped`, async () => {
    const isDropped = await dropWork(deps, run, begun, session).catch(goneMeanwhile);
    if (isDropped) noteCleaned(`database ${work} dropped`);
  });
  await attempt('Roles that were created could not be dropped', async () => {
    const dropped = await dropCreatedRoles(deps, run, session);
    if (dropped.length > 0) noteCleaned(`roles ${dropped.join(', ')} dropped`);
  });
}

/** Another that clears the same run was faster. */
function goneMeanwhile(error: unknown): false {
  if (isHoldfastError(error, 'DatabaseNotFoundError')) return false;
  throw error;
}

/**
 * Sessions in every database of the server, and builds that go on without a client. Others that clear may be at it too
 * (the end of a drill and that of its restore are told at the same time): they are let be.
 * @returns how many there were
 */
async function endSessions(session: Session, runId: string): Promise<number> {
  const ended = await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) FROM pg_catalog.pg_stat_activity
      WHERE pg_catalog.starts_with(application_name, $1) AND application_name <> $2
        AND usename = current_user`,
    [applicationNamePrefixOf(runId), applicationNameOf(runId, what)],
  );
  return ended.length;
}

/** The merge takes the staging away itself: where it is gone, the rows may be in their places. */
async function clearInto(deps: Deps, run: RestoreRun): Promise<CutoverDone | 'dropped' | null> {
  await using session = await openTarget(deps, run, what);
  const isStaged = (await bookkeepingOwner(session, run)) === run.runId;
  // Awaited here: the session ends with this function.
  if (!isStaged) return await noteIfMerged(deps, run, session);
  await dropBookkeeping(session, run);
  return 'dropped';
}

/**
 * Ours: with our mark or bookkeeping, or the very database that this run's cutover has begun with.
 * @returns whether there was one
 */
async function dropWork(
  deps: Deps,
  run: RestoreRun,
  begun: CutoverBegun | undefined,
  session: Session,
): Promise<boolean> {
  const work = await databaseNamed(session, run.workDatabase);
  if (work === undefined) return false;
  const isOurs =
    begun === undefined
      ? ['marked', 'ours'].includes(await stateOf(deps, run, session))
      : begun.work.oid === work.oid;
  if (!isOurs) return false;
  await dropDatabase(deps, run, session, work.name);
  return true;
}
