/**
 * The state Build: one index, constraint, validation, refresh or batch of definitions.
 *
 * Invariant: it may be called again at any time: what is done is done once, and what goes on in the server is looked at
 * and not begun a second time.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type Build, buildSchema, type RestoreRun } from '../contract/restore.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { unitLabel } from '../run/unit-label.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { type BuildProgress, runDetached } from './builds/run-detached.ts';
import { runAnalyze, runStatements } from './builds/run-statements.ts';
import { duringRestore } from './during-restore.ts';

/**
 * How long a client stays with a statement that may be long, milliseconds. A poll later costs up to `pollSeconds` for
 * nothing, so it stays six times as long as that: whoever is polled loses at most a sixth.
 */
const patiencePolls = 6;

/**
 * @param patienceMs see above
 * @throws RestoreStatementError that names what was built; TargetFullError; ConnectionLostError when the session died,
 * after which the same call goes on
 */
export function runBuild(
  deps: Deps,
  { runId, build: index }: InputOf<'Build'>,
  patienceMs?: number,
): Promise<OutputOf<'Build'>> {
  return duringRestore(deps, runId, 'build', async (run, signal) => {
    const build = await readBuild(deps, runId, index);
    const { isDone, share, ageSeconds = 0 } = await work(run, build, signal);
    const waitSeconds = waitSecondsOf(ageSeconds, run.input.options.pollSeconds);
    return { of: unitLabel([build.label]), isDone, share, waitSeconds };
  });

  function work(run: RestoreRun, build: Build, signal: AbortSignal): Promise<BuildProgress> {
    switch (build.kind) {
      case 'statements':
        return runStatements(deps, run, build);
      case 'analyze':
        return runAnalyze(deps, run, build);
      default:
        return runDetached(deps, run, build, patienceMs ?? patienceOf(deps, run), signal);
    }
  }
}

const patienceOf = (deps: Deps, { input: { options } }: RestoreRun) =>
  Math.min(patiencePolls * options.pollSeconds, taskSecondsOf(deps, options) / 2) * 1_000;

const longestWaitSeconds = 300;

/** A tenth of the statement's age: an execution may have 25,000 events, and each look is nine of them. */
export const waitSecondsOf = (ageSeconds: number, pollSeconds: number): number =>
  Math.max(pollSeconds, Math.min(longestWaitSeconds, Math.ceil(ageSeconds / 10)));

async function readBuild({ workspace }: Deps, runId: string, index: number): Promise<Build> {
  const build = await getJson(
    workspace,
    buildSchema,
    workspaceKeys.restorePart(runId, 'builds', index),
  );
  if (build !== undefined) return build;
  throw new HoldfastError(
    'InternalError',
    `Restore ${runId} has no record of build ${index} that PlanBuilds writes.`,
  );
}
