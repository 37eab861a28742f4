/**
 * The user's command after the cutover: restart services, switch a secret. It cannot take the cutover back: when it
 * fails that is a warning of the report.
 *
 * Invariant: it is begun once. An attempt that finds it begun and without a result says so and does not run it again.
 */
import { z } from 'zod';
import type { CommandOptions, Deps } from '../../contract/deps.ts';
import { type Warning, warningSchema } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { claim } from '../claim.ts';
import { readFact, writeFact } from '../restore-run.ts';
import { restoredEnvironment } from '../restored-environment.ts';
import type { CutoverDone } from './database-facts.ts';

const fact = 'warnings-hook';
const factSchema = z.array(warningSchema);
/** Of the command's output, in the warning. */
const shownCharacters = 2_000;

/** @param limits what is left of the task's time; the signal ends the command, and not the cutover */
export async function runAfterHook(
  deps: Deps,
  run: RestoreRun,
  done: CutoverDone,
  limits: CommandOptions,
): Promise<void> {
  const command = run.input.hooks.afterCutover;
  if (command === undefined) return;
  if ((await readFact(deps.workspace, run.runId, fact, factSchema)) !== undefined) return;
  const isMine = await claim(deps, run.runId, 'hook-after-cutover-begun');
  const warning = isMine ? failed(await runHook(deps, run, done, command, limits)) : unsure;
  const warnings = warning === undefined ? [] : [warning];
  await writeFact(deps.workspace, run.runId, fact, factSchema, warnings);
}

const unsure: Warning = {
  code: 'after-cutover-hook-not-known',
  message:
    'The command after the cutover was begun by an attempt that was lost: it may have run, wholly or in part.',
  hint: 'The restore itself is done. Look at what the command does, and run it by hand when it is missing.',
};

const failed = (problem: string | undefined): Warning | undefined =>
  problem === undefined
    ? undefined
    : {
        code: 'after-cutover-hook-failed',
        message: `The command after the cutover failed: ${problem}`,
        hint: 'The restore itself is done. Run the command by hand.',
      };

/** @returns what went wrong */
async function runHook(
  deps: Deps,
  run: RestoreRun,
  done: CutoverDone,
  command: string,
  limits: CommandOptions,
): Promise<string | undefined> {
  if (deps.runCommand === undefined) return 'there is no shell here.';
  try {
    const environment = {
      ...(await restoredEnvironment(deps, run, done.database)),
      HOLDFAST_DATABASE: done.database,
      HOLDFAST_PREVIOUS_DATABASE: done.previousDatabase ?? '',
    };
    const { exitCode, output } = await deps.runCommand(command, environment, limits);
    return exitCode === 0 ? undefined : `exit code ${exitCode}. ${output.slice(-shownCharacters)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
