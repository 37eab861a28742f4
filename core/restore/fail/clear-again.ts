/**
 * What a restore that has ended had to leave on its target, because the server was away, is taken away later by CleanUp.
 *
 * Invariant: under the lease on the target, which is the restore's own once more. Where another restore works, or was
 * killed, nothing is touched: it may have closed or renamed the same database.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Attempts } from '../../run/attempt.ts';
import { readNamedLease, takeNamedLease } from '../../run/named-lease.ts';
import { findRestoreRun } from '../restore-run.ts';
import { releaseTargetLease, targetLeaseOf } from '../target-lease.ts';
import { clearPatiently, isCleared } from './uncleared.ts';

/** @param attempts told what was taken away now, and what still could not be; nothing when nothing was left */
export async function clearAgain(deps: Deps, runId: string, attempts: Attempts): Promise<void> {
  if (await isCleared(deps, runId)) return;
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) return;
  await attempts.attempt(`What restore ${runId} left could not be taken away`, async () => {
    await takeLease(deps, run);
    try {
      await clearPatiently(deps, run, attempts);
    } finally {
      await releaseTargetLease(deps, run);
    }
  });
}

/** @throws LeaseHeldError */
async function takeLease(deps: Deps, run: RestoreRun): Promise<void> {
  const name = targetLeaseOf(run);
  const held = (await readNamedLease(deps, name))?.lease;
  if (held !== undefined && held.runId !== run.runId && !held.isReleased) {
    throw new HoldfastError(
      'LeaseHeldError',
      `Restore ${held.runId} works on ${name.on}, or was killed there.`,
      {
        hint: 'Once that one has ended, `holdfast cancel` of this one takes away what it left.',
        evidence: { on: name.on, lease: held },
      },
    );
  }
  await takeNamedLease(deps, name, {
    ...{ runId: run.runId, heldBy: run.input.requestedBy },
    leaseSeconds: run.input.options.leaseSeconds,
  });
}
