/**
 * The state RunChecks: the user's own checks of the restored database, then the hook before the cutover.
 *
 * Invariant: all checks run, whatever one of them gave, and their results are recorded before any failure ends the run.
 * Results that are recorded stand: a second attempt runs nothing again.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type OwnCheckResult, ownCheckResultSchema, type RestoreRun } from '../contract/restore.ts';
import type { Workspace } from '../vault/vault.ts';
import { checkByCommand } from './checks/by-command.ts';
import { checkBySql } from './checks/by-sql.ts';
import { duringRestore } from './during-restore.ts';
import { readFact, writeFact } from './restore-run.ts';

const resultsSchema = z.array(ownCheckResultSchema);

/** Also the name of the hook's result, told beside the checks. */
const hookName = 'hook before the cutover';

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

async function resultsOf(
  deps: Deps,
  run: RestoreRun,
  signal: AbortSignal,
): Promise<OwnCheckResult[]> {
  const deadline = deps.now().getTime() + run.input.options.taskSeconds * 1000;
  const results: OwnCheckResult[] = [];
  for (const check of run.input.checks) {
    signal.throwIfAborted();
    const leftMs = Math.max(1, deadline - deps.now().getTime());
    const from = deps.now().getTime();
    const found =
      'sql' in check
        ? await checkBySql(deps, run, check, leftMs)
        : await checkByCommand(deps, run, check.command);
    results.push({ name: check.name, ...found, durationMs: deps.now().getTime() - from });
  }
  const { beforeCutover } = run.input.hooks;
  if (beforeCutover === undefined || results.some(({ isPassed }) => !isPassed)) return results;
  signal.throwIfAborted();
  const from = deps.now().getTime();
  const found = await checkByCommand(deps, run, beforeCutover);
  return [...results, { name: hookName, ...found, durationMs: deps.now().getTime() - from }];
}

/** What a check gave may be a row: it is in the report, and not in the message. */
function failureOf(failed: readonly OwnCheckResult[]): HoldfastError {
  const names = failed.map(({ name }) => JSON.stringify(name)).join(', ');
  const evidence = { failed: failed.map(({ name }) => name) };
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
