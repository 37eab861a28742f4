/** A check by a shell command: it passes with exit code 0. */
import type { CommandOptions, Deps } from '../../contract/deps.ts';
import type { OwnCheckResult, RestoreRun } from '../../contract/restore.ts';
import { restoredEnvironment } from '../restored-environment.ts';

/** A report is read by people: the end of what was printed, where the reason usually is. */
const keptCharacters = 2_000;

export type CheckFinding = Omit<OwnCheckResult, 'name' | 'durationMs'>;

/** @throws the signal's reason: a command that was ended for it has shown nothing */
export async function checkByCommand(
  deps: Deps,
  run: RestoreRun,
  command: string,
  options: CommandOptions & { readonly signal: AbortSignal },
): Promise<CheckFinding> {
  const expected = 'exit code 0';
  if (deps.runCommand === undefined) {
    return { isPassed: false, expected, got: 'not run: there is no shell where this restore runs' };
  }
  const environment = await restoredEnvironment(deps, run, run.workDatabase);
  const { exitCode, output } = await deps.runCommand(command, environment, options);
  options.signal.throwIfAborted();
  const printed = output.trim().slice(-keptCharacters);
  const got = `exit code ${exitCode}${printed === '' ? '' : `\n${printed}`}`;
  return { isPassed: exitCode === 0, expected, got };
}
