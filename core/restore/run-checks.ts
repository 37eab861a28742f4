/**
 * The state RunChecks: the user's own checks of the restored database, then the hook before the cutover.
 *
 * Invariant: all checks run, whatever one of them gave, and their results are recorded before any failure ends the run.
 * Each result is recorded when it is there, and stands: a second attempt runs nothing again that has one.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import {
  type OwnCheck,
  type OwnCheckResult,
  ownCheckResultSchema,
  type RestoreRun,
} from '../contract/restore.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import type { Workspace } from '../vault/vault.ts';
import { hookName, notKnown, runBeforeHook } from './checks/before-hook.ts';
import { checkByCommand } from './checks/by-command.ts';
import { checkBySql } from './checks/by-sql.ts';
import { duringRestore } from './during-restore.ts';
import { readFact, writeFact } from './restore-run.ts';

const resultsSchema = z.array(ownCheckResultSchema);

/** Of a task's time that must be left for a check that is not its first. */
const neededShare = 0.5;

/** `undefined` until RunChecks has been there; the last one is the hook's, when there is one and the checks passed. */
export const readCheckResults = (
  workspace: Workspace,
  runId: string,
): Promise<OwnCheckResult[] | undefined> => readFact(workspace, runId, 'checks', resultsSchema);

/** @throws CheckFailedError, HookFailedError; ConnectionLostError and the like, which are tried again */
export async function runChecks(
  deps: Deps,
  { runId }: InputOf<'RunChecks'>,
): Promise<OutputOf<'RunChecks'>> {
  return duringRestore(deps, runId, 'checks', async (run, signal) => {
    const results =
      (await readCheckResults(deps.workspace, runId)) ??
      (await writeFact(
        deps.workspace,
        runId,
        'checks',
        resultsSchema,
        await resultsOf(deps, run, signal),
      ));
    const failed = results.filter(({ isPassed }) => !isPassed);
    if (failed.length > 0) throw failureOf(failed);
    return { passed: results.length, failed: 0 };
  });
}

/**
 * One after the other, each with what is left of the task's time. One that would begin late is left to the next attempt,
 * which has the whole time for it: the first of an attempt always begins.
 */
async function resultsOf(
  deps: Deps,
  run: RestoreRun,
  signal: AbortSignal,
): Promise<OwnCheckResult[]> {
  const { checks, hooks, options } = run.input;
  const clock = () => deps.now().getTime();
  const wholeMs = taskSecondsOf(deps, options) * 1000;
  const deadline = clock() + wholeMs;
  let begun = 0;
  const begin = (what: string) => {
    signal.throwIfAborted();
    const timeoutMs = Math.max(1, deadline - clock());
    begun += 1;
    if (begun > 1 && timeoutMs < wholeMs * neededShare) throw outOfTime(what);
    return { timeoutMs, signal };
  };
  const results: OwnCheckResult[] = [];
  for (const [index, check] of checks.entries()) {
    const fact = `check-${index}`;
    const earlier = await readFact(deps.workspace, run.runId, fact, ownCheckResultSchema);
    results.push(earlier ?? (await record(fact, check)));
  }
  const { beforeCutover } = hooks;
  if (beforeCutover === undefined || results.some(({ isPassed }) => !isPassed)) return results;
  return [...results, await runBeforeHook(deps, run, beforeCutover, begin(hookName))];

  async function record(fact: string, check: OwnCheck): Promise<OwnCheckResult> {
    const limits = begin(check.name);
    const from = clock();
    const found =
      'sql' in check
        ? await checkBySql(deps, run, check, limits)
        : await checkByCommand(deps, run, check.command, limits);
    const result = { name: check.name, ...found, durationMs: clock() - from };
    return writeFact(deps.workspace, run.runId, fact, ownCheckResultSchema, result);
  }
}

const outOfTime = (what: string) =>
  new HoldfastError(
    'TaskTimedOutError',
    `No time is left in this task for ${JSON.stringify(what)}: the next one goes on with it.`,
  );

/** What a check gave may be a row: it is in the report, and not in the message. */
function failureOf(failed: readonly OwnCheckResult[]): HoldfastError {
  const names = failed.map(({ name }) => JSON.stringify(name)).join(', ');
  const evidence = { failed: failed.map(({ name }) => name) };
  if (failed.some(({ name, got }) => name === hookName && got === notKnown)) {
    return new HoldfastError(
      'HookFailedError',
      'The hook before the cutover may have run: an earlier attempt began it, and how it ended is not known. It is not run a second time.',
      { evidence, hint: 'Look at what it does (services that it stops), then restore again.' },
    );
  }
  if (failed.every(({ name }) => name === hookName)) {
    return new HoldfastError(
      'HookFailedError',
      'The hook before the cutover did not end with exit code 0.',
      { evidence },
    );
  }
  const are = failed.length === 1 ? 'check of your own failed' : 'checks of your own failed';
  return new HoldfastError('CheckFailedError', `${failed.length} ${are}: ${names}.`, { evidence });
}
