/**
 * The user's command after the cutover: restart services, switch a secret. It cannot take the cutover back: when it
 * fails that is a warning of the report. The fact says that it ran, so that it does not run twice without need.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { type Warning, warningSchema } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { readFact, writeFact } from '../restore-run.ts';
import { restoredEnvironment } from '../restored-environment.ts';
import type { CutoverDone } from './database-facts.ts';

const fact = 'warnings-hook';
const factSchema = z.array(warningSchema);
/** Of the command's output, in the warning. */
const shownCharacters = 2_000;

export async function runAfterHook(deps: Deps, run: RestoreRun, done: CutoverDone): Promise<void> {
  const command = run.input.hooks.afterCutover;
  if (command === undefined) return;
  if ((await readFact(deps.workspace, run.runId, fact, factSchema)) !== undefined) return;
  const problem = await runHook(deps, run, done, command);
  const warnings: Warning[] =
    problem === undefined
      ? []
      : [
          {
            code: 'after-cutover-hook-failed',
            message: `The command after the cutover failed: ${problem}`,
            hint: 'The restore itself is done. Run the command by hand.',
          },
        ];
  await writeFact(deps.workspace, run.runId, fact, factSchema, warnings);
}

/** @returns what went wrong */
async function runHook(
  deps: Deps,
  run: RestoreRun,
  done: CutoverDone,
  command: string,
): Promise<string | undefined> {
  if (deps.runCommand === undefined) return 'there is no shell here.';
  try {
    const { exitCode, output } = await deps.runCommand(command, {
      ...(await restoredEnvironment(deps, run, done.database)),
      HOLDFAST_DATABASE: done.database,
      HOLDFAST_PREVIOUS_DATABASE: done.previousDatabase ?? '',
    });
    return exitCode === 0 ? undefined : `exit code ${exitCode}. ${output.slice(-shownCharacters)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
