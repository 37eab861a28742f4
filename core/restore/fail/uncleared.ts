/**
 * What a failed restore, or a drill, could not take away from the target, for whoever comes next to take away: CleanUp, the
 * next restore of the same target, the next drill on the same server.
 *
 * Invariant: the record names troubles as long as something may be left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { isHoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Attempts } from '../../run/attempt.ts';
import { putJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import { readFact } from '../restore-run.ts';
import { clearTarget } from './clear-target.ts';

/** Written by nobody who left nothing. */
export const unclearedFact = 'uncleared';
const unclearedSchema = z.strictObject({ troubles: z.array(z.string()) });

/** After 0.5, 1 and 2 s: a connection that broke once is no reason to leave a database behind. */
const pausesMs = [500, 1_000, 2_000];

/**
 * As `clearTarget`, again while connections break. What is left in the end is told by `attempt`, and written down.
 */
export async function clearPatiently(
  deps: Deps,
  run: RestoreRun,
  { attempt, noteCleaned }: Pick<Attempts, 'attempt' | 'noteCleaned'>,
): Promise<void> {
  for (const pauseMs of [...pausesMs, undefined]) {
    let isLost = false;
    const failures: { readonly what: string; readonly cause: unknown }[] = [];
    await clearTarget(deps, run, {
      noteCleaned,
      async attempt(what, step) {
        try {
          return await step();
        } catch (cause) {
          isLost ||= isHoldfastError(cause) && cause.retryable;
          failures.push({ what, cause });
          return undefined;
        }
      },
    });
    if (isLost && pauseMs !== undefined) {
      await sleep(pauseMs);
      continue;
    }
    for (const { what, cause } of failures) await attempt(what, () => Promise.reject(cause));
    const troubles = failures.map(({ what }) => what);
    await attempt('What is left could not be written down', () =>
      noteLeft(deps, run.runId, troubles),
    );
    return;
  }
}

/** @param runId of the restore, or of the drill whose scratch database it is */
export async function noteLeft(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  troubles: readonly string[],
): Promise<void> {
  if (troubles.length === 0 && (await isCleared(deps, runId))) return;
  await putJson(deps.workspace, workspaceKeys.restoreFact(runId, unclearedFact), { troubles });
}

export async function isCleared(deps: Pick<Deps, 'workspace'>, runId: string): Promise<boolean> {
  const record = await readFact(deps.workspace, runId, unclearedFact, unclearedSchema);
  return record === undefined || record.troubles.length === 0;
}
