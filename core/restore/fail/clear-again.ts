/**
 * What a restore that has ended had to leave on its target, because the server was away, is taken away later by CleanUp.
 *
 * Invariant: under the lease on the target, which is the restore's own once more. Where another restore works, or was
 * killed, nothing is touched.
 */
import type { Deps } from '../../contract/deps.ts';
import type { Attempts } from '../../run/attempt.ts';
import { findRestoreRun } from '../restore-run.ts';
import { retakeTargetLease } from '../retake-lease.ts';
import { releaseTargetLease } from '../target-lease.ts';
import { clearPatiently, isCleared } from './uncleared.ts';

/** @param attempts told what was taken away now, and what still could not be; nothing when nothing was left */
export async function clearAgain(deps: Deps, runId: string, attempts: Attempts): Promise<void> {
  if (await isCleared(deps, runId)) return;
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) return;
  await attempts.attempt(`What restore ${runId} left could not be taken away`, async () => {
    await retakeTargetLease(deps, run, run.input.options.leaseSeconds);
    try {
      await clearPatiently(deps, run, attempts);
    } finally {
      await releaseTargetLease(deps, run);
    }
  });
}
