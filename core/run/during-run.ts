/**
 * Around the work of a control state: nothing begins in a run that was aborted, the lease is kept while the work goes
 * on, and the span is recorded when it has succeeded.
 */
import type { Deps } from '../contract/deps.ts';
import type { Run } from '../contract/plan.ts';
import { readRun, throwIfAborted } from '../snapshot/marks.ts';
import { renewLease } from './lease.ts';
import { recordSpan, type SpannedState } from './phases.ts';

/** @throws LeaseHeldError when another run has taken the lease over */
export async function keepLease(
  deps: Pick<Deps, 'workspace' | 'now'>,
  runId: string,
): Promise<Run> {
  const run = await readRun(deps.workspace, runId);
  await renewLease(deps, run);
  return run;
}

/**
 * @throws RunAbortedError, LeaseHeldError, and what `work` throws. A lease that is lost while the work goes on does
 * not end it: Seal finds that out.
 */
export async function duringRun<T>(
  deps: Deps,
  state: SpannedState,
  runId: string,
  work: () => Promise<T>,
): Promise<T> {
  const from = deps.now();
  return underLease(deps, runId, async () => {
    const result = await work();
    await recordSpan(deps, runId, state, { from, to: deps.now() });
    return result;
  });
}

/** The same without a span: for states of which there are many at once. */
export async function underLease<T>(
  deps: Pick<Deps, 'workspace' | 'now'>,
  runId: string,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  await throwIfAborted(deps.workspace, runId);
  const run = await keepLease(deps, runId);
  // It is renewed at half of its time, and looked at four times as often, so that one failed look does not lose it.
  const timer = setInterval(
    () => void renewLease(deps, run).catch(() => undefined),
    (run.input.options.leaseSeconds * 1000) / 8,
  );
  try {
    return await work(run);
  } finally {
    clearInterval(timer);
  }
}
