/**
 * Around the work of every state of a restore: nothing begins in a run that was aborted, the lease on the target is
 * kept while the work goes on, and the span of its part is recorded when it has succeeded.
 */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { throwIfRestoreAborted } from './abort-mark.ts';
import { type RestorePhase, recordRestoreSpan } from './phases.ts';
import { readRestoreRun } from './restore-run.ts';
import { renewTargetLease } from './target-lease.ts';

type DuringDeps = Pick<Deps, 'workspace' | 'now'>;

/**
 * @param work gets the run, and a signal that is given when the run was aborted meanwhile: long work looks at it
 * (`signal.throwIfAborted()`) between its steps
 * @throws RunAbortedError, LeaseHeldError when another run has taken the target over, and what `work` throws
 */
export async function duringRestore<T>(
  deps: DuringDeps,
  runId: string,
  part: RestorePhase,
  work: (run: RestoreRun, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const from = deps.now();
  await throwIfRestoreAborted(deps.workspace, runId);
  const run = await readRestoreRun(deps.workspace, runId);
  await renewTargetLease(deps, run);
  const controller = new AbortController();
  // It is renewed at half of its time, and looked at four times as often, so that one failed look does not lose it.
  const lookMs = Math.min((run.input.options.leaseSeconds * 1000) / 8, 2_000);
  const timer = setInterval(() => void look(deps, run, controller), lookMs);
  try {
    const result = await work(run, controller.signal);
    await recordRestoreSpan(deps, runId, part, { from, to: deps.now() });
    return result;
  } finally {
    clearInterval(timer);
  }
}

/** A look that fails is made up for by the next one; a lease that is lost ends the run at its next state. */
async function look(deps: DuringDeps, run: RestoreRun, controller: AbortController): Promise<void> {
  await renewTargetLease(deps, run).catch(() => undefined);
  try {
    await throwIfRestoreAborted(deps.workspace, run.runId);
  } catch (error) {
    if (error instanceof Error && error.name === 'RunAbortedError') controller.abort(error);
  }
}
