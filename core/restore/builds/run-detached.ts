/**
 * A statement that may take longer than its caller lives: an index, a constraint, a validation, a refresh. It commits by
 * itself, its session does not look whether its client is there, and later calls look how far it is.
 *
 * Invariants: an advisory lock of the session makes sure that one session at a time works at a build; what counts as
 * done is what the catalogs say while the lock is held, or an answer to the statement itself.
 */

import type { Deps } from '../../contract/deps.ts';
import type { Build, RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import type { Session } from '../../postgres/session.ts';
import { taskSecondsOf } from '../../run/task-time.ts';
import { identifier } from '../../schema/sql-text.ts';
import { claim } from '../claim.ts';
import { openTarget } from '../target-session.ts';
import { textsOf } from './build-texts.ts';
import { findObject } from './find-object.ts';
import { prepareMemory } from './memory.ts';
import { resolveReferences } from './references.ts';
import { buildError } from './statement-error.ts';
import { shareOf, takeTurn } from './turn.ts';

/** How far a build is. */
export interface BuildProgress {
  readonly isDone: boolean;
  /** 0 to 1; null when nobody tells. */
  readonly share: number | null;
  /** Of the statement, when it was begun by an earlier attempt and goes on. */
  readonly ageSeconds?: number;
}

/** Of `taskSeconds`, for the attempt that stays to hear the error. */
const shareForWaiting = 0.9;

/**
 * @param patienceMs how long the first attempt stays with the statement
 * @param signal ends the waiting, and lets the statement go on
 */
export async function runDetached(
  deps: Deps,
  run: RestoreRun,
  build: Build,
  patienceMs: number,
  signal: AbortSignal,
): Promise<BuildProgress> {
  const name = applicationNameOf(run.runId, `build-${build.build}`);
  const session = await openTarget(deps, run, `build-${build.build}`, 'builder');
  try {
    const ageSeconds = await takeTurn(session, name);
    if (ageSeconds !== undefined) {
      const share = await shareOf(session, name);
      deps.progress({ state: 'Build', message: progressText(build, share) });
      return { isDone: false, share, ageSeconds };
    }
    const found = await findObject(session, build);
    if (found === 'done') return { isDone: true, share: 1 };
    if (found === 'invalid') await session.query(dropIndex(build));
    const statements = await resolveReferences(build.statements, textsOf(deps, run));
    await prepareMemory(session, run);
    const staysMs = (await isFirstAttempt(deps, run, build))
      ? patienceMs
      : taskSecondsOf(deps, run.input.options) * 1_000 * shareForWaiting;
    const isDone = await runPatiently(session, statements, staysMs, signal);
    return { isDone, share: isDone ? 1 : null };
  } catch (error) {
    throw buildError(error, build.label);
  } finally {
    await session.close();
  }
}

/** One that was begun and left nothing has failed: the next attempt stays, to hear why. */
const isFirstAttempt = (deps: Deps, { runId }: RestoreRun, { build }: Build): Promise<boolean> =>
  claim(deps, runId, `begun-${build}`);

/** @returns whether it ended; when not, the session is dropped and the statement goes on */
async function runPatiently(
  session: Session,
  statements: readonly string[],
  patienceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (const setting of statements.slice(0, -1)) await session.query(setting);
  const result = session.query(statements.at(-1) ?? '').then(() => true);
  const { promise: letGo, resolve } = Promise.withResolvers<false>();
  const onAbort = () => resolve(false);
  const timer = setTimeout(onAbort, patienceMs);
  signal.addEventListener('abort', onAbort);
  try {
    const isDone = await Promise.race([result, letGo]);
    if (isDone) return true;
    // Its end is found in the catalogs.
    result.catch(() => undefined);
    session.destroy();
    signal.throwIfAborted();
    return false;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Only an index can be there and not be valid; constraints come and go with their statement. */
function dropIndex({ object }: Build): string {
  return `DROP INDEX ${identifier(object?.schema ?? '')}.${identifier(object?.name ?? '')}`;
}

const progressText = ({ label }: Build, share: number | null): string =>
  share === null ? `${label} is being built` : `${label}: ${Math.floor(share * 100)} % built`;
