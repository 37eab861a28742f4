/**
 * The history of an execution, as far as a person follows it: which states began and ended, and what failed in them.
 *
 * Invariant: what was read once is not read again: a long run has up to 25,000 events, and is looked at every few seconds.
 */
import {
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { awsError } from '../aws-error.ts';

/** Of `TaskStateEntered`, `MapStateExited` and their like. */
export type StateType =
  | 'Task'
  | 'Map'
  | 'Parallel'
  | 'Pass'
  | 'Choice'
  | 'Wait'
  | 'Succeed'
  | 'Fail';

export type ExecutionEvent = {
  readonly id: number;
  readonly previous: number;
  readonly at: Date;
} & (
  | { readonly kind: 'entered' | 'exited'; readonly state: string; readonly type: StateType }
  /** A call of a function, or a child execution, that did not do; it may be tried again. */
  | { readonly kind: 'failed'; readonly error: string }
  | { readonly kind: 'map-run'; readonly mapRunArn: string }
  | { readonly kind: 'other' }
);

/** A look every few seconds finds a handful; the first one of a run that is long under way finds thousands. */
const fewEvents = 100;
const manyEvents = 1_000;

/** @param after id of the last event that is known; 0: none @returns ascending @throws AwsAccessDeniedError, AwsServiceError */
export async function eventsAfter(
  sfn: SFNClient,
  executionArn: string,
  after: number,
): Promise<ExecutionEvent[]> {
  const found: HistoryEvent[] = [];
  let nextToken: string | undefined;
  try {
    do {
      const page = await sfn.send(
        new GetExecutionHistoryCommand({
          executionArn,
          reverseOrder: true,
          includeExecutionData: false,
          maxResults: after === 0 ? manyEvents : fewEvents,
          nextToken,
        }),
      );
      const events = page.events ?? [];
      found.push(...events.filter(({ id = 0 }) => id > after));
      const isKnown = events.some(({ id = 0 }) => id <= after);
      nextToken = isKnown ? undefined : page.nextToken;
    } while (nextToken !== undefined);
  } catch (error) {
    // Eventually consistent, as all that is asked of executions: of one that was started a moment ago nothing is known.
    if (error instanceof ExecutionDoesNotExist) return [];
    throw awsError(error, { action: 'states:GetExecutionHistory', what: executionArn });
  }
  return found.reverse().map(simpler);
}

/**
 * Output of the last exit from one of the states, as JSON text: what a machine knew before it failed.
 * @returns undefined when it is not among the last events
 */
export async function lastOutputOf(
  sfn: SFNClient,
  executionArn: string,
  states: readonly string[],
): Promise<string | undefined> {
  try {
    const { events = [] } = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 20 }),
    );
    const exits = events.map(({ stateExitedEventDetails }) => stateExitedEventDetails);
    return exits.find((exit) => states.includes(exit?.name ?? ''))?.output;
  } catch (error) {
    throw awsError(error, { action: 'states:GetExecutionHistory', what: executionArn });
  }
}

function simpler(event: HistoryEvent): ExecutionEvent {
  const { id = 0, previousEventId: previous = 0, timestamp: at = new Date(), type = '' } = event;
  const base = { id, previous, at };
  const [, stateType, way] = /^([A-Z][a-z]+)State(Entered|Exited)$/.exec(type) ?? [];
  if (stateType !== undefined) {
    const isEntry = way === 'Entered';
    const details = isEntry ? event.stateEnteredEventDetails : event.stateExitedEventDetails;
    const kind = isEntry ? 'entered' : 'exited';
    return { ...base, kind, state: details?.name ?? '', type: stateType as StateType };
  }
  if (type === 'MapRunStarted') {
    return {
      ...base,
      kind: 'map-run',
      mapRunArn: event.mapRunStartedEventDetails?.mapRunArn ?? '',
    };
  }
  const error = failureIn(event);
  return error === undefined ? { ...base, kind: 'other' } : { ...base, kind: 'failed', error };
}

/** The function could not be asked, failed, or took too long; the same of an integration (a child execution). */
function failureIn(event: HistoryEvent): string | undefined {
  const timedOut = event.lambdaFunctionTimedOutEventDetails ?? event.taskTimedOutEventDetails;
  const failed =
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionScheduleFailedEventDetails ??
    event.lambdaFunctionStartFailedEventDetails ??
    event.taskFailedEventDetails ??
    event.taskStartFailedEventDetails ??
    event.taskSubmitFailedEventDetails ??
    timedOut;
  return failed === undefined ? undefined : (failed.error ?? 'an error without a name');
}
