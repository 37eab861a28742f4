/**
 * The lease on the target for what comes after a restore: a rollback, or taking away what it had left.
 *
 * Invariant: where another restore works, or was killed and may be gone on with, it is not taken: that one may have closed
 * or renamed the same database, and is found by this lease alone.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { readRestoreOutcome } from '../report/outcome.ts';
import { isHeld, type Lease, readNamedLease, takeNamedLease } from '../run/named-lease.ts';
import { findRestoreRun } from './restore-run.ts';
import { targetLeaseOf } from './target-lease.ts';

type LeaseDeps = Pick<Deps, 'workspace' | 'now'>;

/** Under the run's own id: its lease, when it died, is no obstacle. @throws LeaseHeldError */
export async function retakeTargetLease(
  deps: LeaseDeps,
  run: RestoreRun,
  leaseSeconds: number,
): Promise<void> {
  const { runId, input } = run;
  const name = targetLeaseOf(run);
  const held = (await readNamedLease(deps, name))?.lease;
  if (held !== undefined && held.runId !== runId && (await isUnfinished(deps, held))) {
    throw new HoldfastError(
      'LeaseHeldError',
      `Restore ${held.runId} works on ${name.on}, or was killed there.`,
      {
        hint: `Let it come to its end, by its command once more if it was killed, or \`holdfast cancel ${held.runId}\`. Then do this again.`,
        evidence: { on: name.on, lease: held },
      },
    );
  }
  await takeNamedLease(deps, name, { runId, leaseSeconds, heldBy: input.requestedBy });
}

/** One that was killed before it had a record has done nothing; one with an outcome is over. */
async function isUnfinished(deps: LeaseDeps, lease: Lease): Promise<boolean> {
  if (lease.isReleased) return false;
  if (isHeld(lease, deps.now())) return true;
  if ((await findRestoreRun(deps.workspace, lease.runId)) === undefined) return false;
  return (await readRestoreOutcome(deps, lease.runId)) === undefined;
}
