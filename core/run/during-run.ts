/**
 * Around the work of a control state: nothing begins in a run that was aborted, the lease is kept while the work goes
 * on, and the span is recorded when it has succeeded.
 */
import type { Deps } from '../contract/deps.ts';
import type { Run } from '../contract/plan.ts';
import { throwIfAborted } from './abort-mark.ts';
import { renewLease } from './lease.ts';
import { recordSpan, type SpannedState } from './phases.ts';
import { readRun } from './run-record.ts';

/**
 * @throws RunAbortedError, LeaseHeldError, and what `work` throws. A lease that is lost while the work goes on does
 * not end it: Seal finds that out.
 */
export async function duringRun<T>(
  deps: Deps,
  state: SpannedState,
  runId: string,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  await throwIfAborted(deps, runId);
  const run = await readRun(deps, runId);
  await renewLease(deps, run);
  const from = deps.now();
  // Renewed at half of its time; looked at four times as often, so that one failure does not lose it.
  const timer = setInterval(
    () => void renewLease(deps, run).catch(() => undefined),
    (run.input.options.leaseSeconds * 1000) / 8,
  );
  try {
    const result = await work(run);
    await recordSpan(deps, runId, state, { from, to: deps.now() });
    return result;
  } finally {
    clearInterval(timer);
  }
}
