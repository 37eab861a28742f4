/** A history in the form in which Step Functions writes it: with what the emulator leaves out of its own. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { WatchedExecution } from '../../cli/aws/watched-execution.ts';
import { type RefusingService, refusingService } from '../aws/refusing-service.ts';

const machine = 'holdfast-prod-backup';
const execution = {
  environment: 'prod',
  place: { account: '111122223333', region: 'eu-central-1' },
  machine: 'backup',
  name: 'shop-daily-1',
} as const;
const mapRunArn = `arn:aws:states:eu-central-1:111122223333:mapRun:${machine}/8a1f:run-1`;

type Event = Record<string, unknown> & { readonly id: number };
let seconds = 1_763_700_000;

/** One after another, each a second later; `previous` as in a Parallel, where chains of events are interleaved. */
function event(id: number, previous: number, type: string, details: object = {}): Event {
  seconds += 1;
  return { id, previousEventId: previous, type, timestamp: seconds, ...details };
}
const entered = (id: number, previous: number, type: string, name: string) =>
  event(id, previous, `${type}StateEntered`, { stateEnteredEventDetails: { name } });
const exited = (id: number, previous: number, type: string, name: string) =>
  event(id, previous, `${type}StateExited`, { stateExitedEventDetails: { name } });

interface Server {
  events: Event[];
  succeeded: number;
  isMapOver: boolean;
  /** Ids that were handed out, each time. */
  readonly asked: number[][];
}

const serve = (it: Server): Promise<RefusingService> =>
  refusingService((body) => {
    const asked = JSON.parse(body) as {
      maxResults?: number;
      nextToken?: string;
      mapRunArn?: string;
    };
    const answer = (value: object) => ({
      status: 200,
      contentType: 'application/x-amz-json-1.0',
      body: JSON.stringify(value),
    });
    if (asked.maxResults !== undefined) {
      // Pages of three, newest first, whatever was asked for: the service may give fewer.
      const from = Number(asked.nextToken ?? 0);
      const events = it.events.toReversed().slice(from, from + 3);
      it.asked.push(events.map(({ id }) => id));
      const isLast = from + 3 >= it.events.length;
      return answer({ events, ...(!isLast && { nextToken: String(from + 3) }) });
    }
    const began = it.events.find(({ type }) => type === 'MapRunStarted')?.['timestamp'];
    if (asked.mapRunArn === undefined) {
      return answer({ mapRuns: began ? [{ mapRunArn, startDate: began }] : [] });
    }
    const status = it.isMapOver ? 'SUCCEEDED' : 'RUNNING';
    return answer({ mapRunArn, status, itemCounts: { total: 12, succeeded: it.succeeded } });
  });

test('states, units of a map in a parallel, and a failure that was tried again, each told once', async () => {
  const it: Server = { events: [], succeeded: 0, isMapOver: false, asked: [] };
  await using service = await serve(it);
  const watched = new WatchedExecution(new SFNClient(service.config), execution);
  it.events = [
    event(1, 0, 'ExecutionStarted'),
    entered(2, 0, 'Task', 'Plan'),
    event(3, 2, 'LambdaFunctionScheduled'),
    event(4, 3, 'LambdaFunctionFailed', {
      lambdaFunctionFailedEventDetails: { error: 'ConnectionLostError' },
    }),
    event(5, 4, 'LambdaFunctionScheduled'),
    event(6, 5, 'LambdaFunctionSucceeded'),
    exited(7, 6, 'Task', 'Plan'),
    entered(8, 7, 'Choice', 'IsDuplicate'),
    exited(9, 8, 'Choice', 'IsDuplicate'),
    entered(10, 9, 'Parallel', 'DumpUnderSnapshot'),
    event(11, 10, 'ParallelStateStarted'),
    entered(12, 11, 'Task', 'WatchSnapshot'),
    entered(13, 11, 'Map', 'DumpUnits'),
    event(14, 12, 'LambdaFunctionScheduled'),
    event(15, 13, 'MapRunStarted', { mapRunStartedEventDetails: { mapRunArn } }),
  ];
  it.succeeded = 3;
  expect(await watched.look()).toEqual({
    lines: ['  ! Plan: ConnectionLostError', '  Plan  5.0 s'],
    now: ['WatchSnapshot', 'DumpUnits units 3/12'],
  });

  it.asked.length = 0;
  it.events.push(
    event(16, 14, 'LambdaFunctionTimedOut', {
      lambdaFunctionTimedOutEventDetails: { error: 'States.Timeout' },
    }),
    event(17, 16, 'LambdaFunctionSucceeded'),
    exited(18, 17, 'Task', 'WatchSnapshot'),
  );
  it.succeeded = 7;
  expect(await watched.look()).toEqual({
    lines: ['  ! WatchSnapshot: States.Timeout', '  WatchSnapshot  6.0 s'],
    now: ['DumpUnits units 7/12'],
  });
  // No further back than to what is known.
  expect(it.asked).toEqual([
    [18, 17, 16],
    [15, 14, 13],
  ]);

  it.events.push(
    entered(19, 18, 'Task', 'WatchSnapshot'),
    exited(20, 19, 'Task', 'WatchSnapshot'),
    event(21, 15, 'MapRunSucceeded'),
    exited(22, 21, 'Map', 'DumpUnits'),
    exited(23, 22, 'Parallel', 'DumpUnderSnapshot'),
  );
  it.succeeded = 12;
  it.isMapOver = true;
  // The watch comes again and again: once is enough.
  expect(await watched.look()).toEqual({
    lines: ['  DumpUnits  9.0 s  units 12/12', '  DumpUnderSnapshot  13 s'],
    now: [],
  });
  expect(await watched.look()).toEqual({ lines: [], now: [] });
});

test('what was found while AWS went away is told by the next look', async () => {
  const it: Server = { events: [], succeeded: 0, isMapOver: false, asked: [] };
  let isAway = false;
  await using working = await serve(it);
  const sfn = new SFNClient(working.config);
  sfn.middlewareStack.add(
    (next) => (args) => {
      if (isAway) throw Object.assign(new Error('away'), { name: 'ServiceUnavailable' });
      return next(args);
    },
    { step: 'build' },
  );
  const watched = new WatchedExecution(sfn, execution);
  it.events = [entered(1, 0, 'Task', 'Plan'), exited(2, 1, 'Task', 'Plan')];
  isAway = true;
  await expect(watched.look()).rejects.toMatchObject({ name: 'AwsServiceError' });
  isAway = false;
  expect((await watched.look()).lines).toEqual(['  Plan  1.0 s']);
});
