/**
 * The user's command before the cutover: it stops services, takes a switch down.
 *
 * Invariant: it is begun once. An attempt that finds it begun and without a result (its worker was killed) does not run it
 * a second time: nobody can know how far it came, and the restore is taken back.
 */
import type { Deps } from '../../contract/deps.ts';
import {
  type OwnCheckResult,
  ownCheckResultSchema,
  type RestoreRun,
} from '../../contract/restore.ts';
import { claim } from '../claim.ts';
import { readFact, writeFact } from '../restore-run.ts';
import { checkByCommand } from './by-command.ts';

/** Also the name of its result, told beside the checks. */
export const hookName = 'hook before the cutover';

const fact = 'hook-before-cutover';

/** In the result of one whose end nobody has seen. */
export const notKnown = 'not known: an earlier attempt began it and was lost, and it may have run';

export async function runBeforeHook(
  deps: Deps,
  run: RestoreRun,
  command: string,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<OwnCheckResult> {
  const { workspace } = deps;
  const earlier = await readFact(workspace, run.runId, fact, ownCheckResultSchema);
  if (earlier !== undefined) return earlier;
  if (!(await claim(deps, run.runId, `${fact}-begun`))) {
    return {
      ...{ name: hookName, isPassed: false, durationMs: 0 },
      ...{ expected: 'exit code 0', got: notKnown },
    };
  }
  const from = deps.now().getTime();
  const found = await checkByCommand(deps, run, command, limits);
  const result = { name: hookName, ...found, durationMs: deps.now().getTime() - from };
  return writeFact(workspace, run.runId, fact, ownCheckResultSchema, result);
}
