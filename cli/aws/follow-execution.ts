/**
 * Follows an execution to its end. Following is looking on: whatever becomes of us, the run goes on.
 *
 * Invariant: a service that is away for a while is waited for; only what a person must put right ends the following.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Execution, executionArnOf } from '../../aws/executions/execution-arn.ts';
import { type ExecutionState, readExecution } from '../../aws/executions/read-execution.ts';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import type { FollowView } from '../output/follow-view.ts';
import { noSuchRun } from './find-execution.ts';
import { WatchedExecution } from './watched-execution.ts';

/** Three or four requests at each look; an account may ask for some ten a second of each kind. */
const firstPollMs = 2_000;
const lastPollMs = 10_000;
/** After 8 minutes of looking it is 10 s. */
const slower = 1 / 60;
/** DescribeExecution is eventually consistent: one that was started a moment ago need not be known yet. */
const unknownMs = 20_000;
/** As long as AWS does not answer. */
const patienceMs = 600_000;

/**
 * @param options.signal a person wants to look no longer
 * @param options.isNew we have started it ourselves just now
 * @returns how it ended; undefined when the signal came first
 * @throws UsageError when there is no such execution; AwsAccessDeniedError; AwsServiceError after ten minutes without an answer
 */
export async function followExecution(
  sfn: SFNClient,
  execution: Execution,
  view: FollowView,
  { signal, isNew }: { readonly signal: AbortSignal; readonly isNew: boolean },
): Promise<ExecutionState | undefined> {
  const watched = new WatchedExecution(sfn, execution);
  const beganMs = performance.now();
  let answeredMs = beganMs;
  while (!signal.aborted) {
    try {
      const state = await lookAt(sfn, execution, watched, view);
      if (state === undefined) {
        if (!isNew || performance.now() - beganMs > unknownMs) throw noSuchRun(execution);
      } else if (state.status !== 'RUNNING' && state.status !== 'PENDING_REDRIVE') return state;
      answeredMs = performance.now();
    } catch (error) {
      const silentMs = performance.now() - answeredMs;
      const isAway = isHoldfastError(error, 'AwsServiceError') && silentMs < patienceMs;
      if (!isAway) throw withWayBack(error, execution);
      view.line(`  ! ${error.message} It is asked again; the run goes on.`);
    }
    const pollMs = firstPollMs + (performance.now() - beganMs) * slower;
    await sleep(Math.min(pollMs, lastPollMs), undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** The state first: what happened before it is in the history then. */
async function lookAt(
  sfn: SFNClient,
  execution: Execution,
  watched: WatchedExecution,
  view: FollowView,
): Promise<ExecutionState | undefined> {
  const state = await readExecution(sfn, executionArnOf(execution));
  if (state === undefined) return undefined;
  const { lines, now } = await watched.look();
  for (const line of lines) view.line(line);
  view.now(now, Date.now() - state.startedAt.getTime());
  return state;
}

/** Whoever hears of an error here must not think that it is one of the run. */
function withWayBack(error: unknown, execution: Execution): unknown {
  if (!isHoldfastError(error) || error.name === 'UsageError') return error;
  return new HoldfastError(error.name, error.message, {
    hint: `${error.hint} The run goes on; to look again: holdfast follow ${executionArnOf(execution)}`,
    evidence: error.evidence,
    cause: error,
  });
}
