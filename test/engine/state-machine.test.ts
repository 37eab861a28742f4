import { beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { causeOf, failureOf } from '../../core/run/failure.ts';
import { execute, loadStateMachine, taskStates } from '../../local/engine/state-machine.ts';

type Definition = Awaited<ReturnType<typeof loadStateMachine>>;
let definition: Definition;
let retryMilliseconds: Record<string, number>;

beforeAll(async () => {
  definition = await loadStateMachine(
    new URL('../../statemachines/backup.asl.json', import.meta.url),
  );
  retryMilliseconds = Object.fromEntries(
    [...taskStates(definition).keys()].map((name) => [name, 1]),
  );
});

type Answer = (input: Record<string, unknown>, nth: number) => unknown;
const error = (name: ConstructorParameters<typeof HoldfastError>[0], message = 'it failed') =>
  new HoldfastError(name, message, { hint: 'do this', evidence: { pid: 7 } });

const published = { state: 'published', verdict: 'intact', tier: 'daily', hasReplica: false };

/** Runs the real definition with answers instead of handlers; the calls are told in order. */
async function run(answers: Partial<Record<StateName, Answer>>) {
  const calls: { state: StateName; input: Record<string, unknown> }[] = [];
  const counts = new Map<StateName, number>();
  let isDumped = false;
  const usual: Partial<Record<StateName, Answer>> = {
    Plan: ({ runId }) => ({ runId, backupId: 'b', jobs: 2, isDuplicate: false }),
    PlanUnits: () => ({ units: [0, 1, 2], tables: 3, estimatedBytes: 9 }),
    WatchSnapshot: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return { isDone: isDumped, ageSeconds: 1, holders: 2, waitSeconds: 0 };
    },
    DumpUnit: ({ part }) => ({ part, hasRemainder: false, rows: 1, storedBytes: 1 }),
    ReleaseSnapshot: () => {
      isDumped = true;
      return { ended: 2 };
    },
    AbortDump: ({ error: caught }) => ({
      error: (caught as { Error: string }).Error,
      cause: (caught as { Cause: string }).Cause,
    }),
    Seal: () => ({ backupId: 'b', objects: [0, 1], tables: 3, rows: 3, storedBytes: 3 }),
    Publish: () => published,
    Report: () => ({ done: true }),
    Fail: ({ error: caught }) => ({
      error: (caught as { Error: string }).Error,
      cause: (caught as { Cause: string }).Cause,
    }),
  };
  const result = execute(definition, {
    name: 'run-1',
    input: { source: 'shop', requestedBy: { user: 'u', host: 'h' } },
    retryMilliseconds,
    call: async (state, input) => {
      calls.push({ state, input: input as Record<string, unknown> });
      const nth = (counts.get(state) ?? 0) + 1;
      counts.set(state, nth);
      const answer = answers[state] ?? usual[state] ?? (() => ({}));
      return answer(input as Record<string, unknown>, nth);
    },
  });
  const outcome = await result.then(
    (output) => ({ output, failure: undefined }),
    (failure: unknown) => ({ output: undefined, failure: failure as HoldfastError }),
  );
  const states = calls.map(({ state }) => state).filter((state) => state !== 'WatchSnapshot');
  return { ...outcome, calls, states, countOf: (state: StateName) => counts.get(state) ?? 0 };
}

describe('the flow of backup', () => {
  it('goes from Plan to Report, with one DumpUnit per unit and one VerifyUnit per object', async () => {
    const { output, states, calls } = await run({});
    expect(output).toEqual({ done: true });
    expect(states).toEqual([
      ...['Plan', 'HoldSnapshot', 'DumpSchema', 'PlanUnits', 'DumpUnit', 'DumpUnit', 'DumpUnit'],
      ...['ReleaseSnapshot', 'Seal', 'VerifyUnit', 'VerifyUnit', 'Publish', 'Report'],
    ]);
    expect(calls[0]?.input).toMatchObject({ runId: 'run-1', request: { source: 'shop' } });
    expect(calls.find(({ state }) => state === 'HoldSnapshot')?.input).toEqual({
      runId: 'run-1',
      attempt: 1,
    });
    const units = calls.filter(({ state }) => state === 'DumpUnit').map(({ input }) => input);
    expect(units).toContainEqual({ runId: 'run-1', unit: 2, part: 0 });
  });

  it('ends at once when another run has claimed the scheduled time', async () => {
    const { output, states } = await run({
      Plan: () => ({ runId: 'run-1', backupId: 'b', jobs: 2, isDuplicate: true }),
    });
    expect(output).toMatchObject({ isDuplicate: true });
    expect(states).toEqual(['Plan']);
  });

  it('asks for the remainder of a unit until there is none', async () => {
    const { calls } = await run({
      PlanUnits: () => ({ units: [5], tables: 1, estimatedBytes: 1 }),
      DumpUnit: ({ part }) => ({
        part,
        hasRemainder: (part as number) < 2,
        rows: 1,
        storedBytes: 1,
      }),
    });
    const parts = calls
      .filter(({ state }) => state === 'DumpUnit')
      .map(({ input }) => [input.unit, input.part]);
    expect(parts).toEqual([
      [5, 0],
      [5, 1],
      [5, 2],
    ]);
  });

  it('backs up a database without units', async () => {
    const { output, countOf } = await run({
      PlanUnits: () => ({ units: [], tables: 0, estimatedBytes: 0 }),
    });
    expect(output).toEqual({ done: true });
    expect(countOf('DumpUnit')).toBe(0);
  });

  it('takes a newer snapshot when the schema moved, three in all', async () => {
    const once = await run({
      DumpSchema: (_, nth) => {
        if (nth === 1) throw error('SchemaMovedError');
        return {};
      },
    });
    expect(once.output).toEqual({ done: true });
    const attempts = once.calls
      .filter(({ state }) => state === 'HoldSnapshot')
      .map(({ input }) => input.attempt);
    expect(attempts).toEqual([1, 2]);

    const always = await run({
      DumpSchema: () => {
        throw error('SchemaMovedError');
      },
    });
    expect(always.failure?.name).toBe('SchemaMovedError');
    expect(always.countOf('HoldSnapshot')).toBe(3);
    expect(always.countOf('Fail')).toBe(1);
  });
});

describe('the flow behind Publish, where there is a replica', () => {
  const hasReplica = { Publish: () => ({ ...published, hasReplica: true }) };

  it('looks at each object there, then records the replica, then reports', async () => {
    const { output, states, calls } = await run(hasReplica);
    expect(output).toEqual({ done: true });
    expect(states.slice(-4)).toEqual(['ReplicateUnit', 'ReplicateUnit', 'RecordReplica', 'Report']);
    const objects = calls.filter(({ state }) => state === 'ReplicateUnit');
    expect(objects.map(({ input }) => input)).toContainEqual({ runId: 'run-1', object: 1 });
  });

  it('tries an object that is not there yet again, eleven times', async () => {
    const { output, countOf } = await run({
      ...hasReplica,
      ReplicateUnit: ({ object }, nth) => {
        if (object === 0 && nth < 11) throw error('ReplicaBehindError');
        return { verdict: 'intact', problems: 0 };
      },
    });
    expect(output).toEqual({ done: true });
    expect(countOf('ReplicateUnit')).toBeGreaterThanOrEqual(11);
  });

  it.each([
    ['ReplicateUnit', 'ReplicaBehindError', 24],
    ['ReplicateUnit', 'VaultAccessDeniedError', 2],
    ['RecordReplica', 'ReplicaBehindError', 12],
    ['RecordReplica', 'VaultAccessDeniedError', 1],
  ] as const)('ends well although %s fails for good with %s', async (state, name, calls) => {
    const { output, states, countOf } = await run({
      ...hasReplica,
      [state]: () => {
        throw error(name);
      },
    });
    expect(output).toEqual({ done: true });
    expect(countOf(state)).toBe(calls);
    expect(states.slice(-2)).toEqual(['RecordReplica', 'Report']);
    expect(states).not.toContain('AbortDump');
    expect(states).not.toContain('Fail');
  });
});

describe('errors', () => {
  it.each([
    'WorkerLostError',
    'ConnectionLostError',
    'TooManyConnectionsError',
    'LockNotAvailableError',
    'CopyIncompleteError',
    'TaskTimedOutError',
    'VaultIoError',
    'KeyThrottledError',
    'KeyServiceError',
    'AwsServiceError',
  ] as const)('tries a unit again after %s', async (name) => {
    const { output, countOf } = await run({
      DumpUnit: ({ part }, nth) => {
        if (nth === 1) throw error(name);
        return { part, hasRemainder: false, rows: 1, storedBytes: 1 };
      },
    });
    expect(output).toEqual({ done: true });
    expect(countOf('DumpUnit')).toBe(4);
  });

  it('keep name, message, hint and evidence from a unit to the end of the run, and leave the abort mark inside', async () => {
    const { failure, states, calls } = await run({
      DumpUnit: () => {
        throw error('TableChangedError', 'shop.orders was truncated');
      },
    });
    expect(failure).toBeInstanceOf(HoldfastError);
    expect(failure).toMatchObject({
      name: 'TableChangedError',
      message: 'shop.orders was truncated',
      hint: 'do this',
      evidence: { pid: 7 },
    });
    expect(states).toContain('AbortDump');
    expect(states).not.toContain('Seal');
    expect(states.at(-1)).toBe('Fail');
    expect(calls.find(({ state }) => state === 'AbortDump')?.input).toMatchObject({
      error: { Error: 'TableChangedError' },
    });
  });

  it('of the watch fail the run too', async () => {
    const { failure, states } = await run({
      WatchSnapshot: () => {
        throw error('SnapshotLostError');
      },
    });
    expect(failure?.name).toBe('SnapshotLostError');
    expect(states).toContain('AbortDump');
    expect(states).not.toContain('Publish');
  });

  it.each([
    'Plan',
    'HoldSnapshot',
    'PlanUnits',
    'ReleaseSnapshot',
    'Seal',
    'VerifyUnit',
    'Publish',
  ] as const)('of %s reach Fail, and nothing comes after it', async (state) => {
    const { failure, states, calls } = await run({
      [state]: () => {
        throw error('VaultFullError');
      },
    });
    expect(failure?.name).toBe('VaultFullError');
    expect(states.at(-1)).toBe('Fail');
    expect(states).not.toContain('Report');
    expect(calls.findLast(({ state }) => state !== 'WatchSnapshot')?.input).toMatchObject({
      runId: 'run-1',
      error: { Error: 'VaultFullError' },
    });
  });

  it('are told although Fail fails', async () => {
    const { failure } = await run({
      Seal: () => {
        throw error('IncompleteBackupError');
      },
      Fail: () => {
        throw error('VaultFullError');
      },
    });
    expect(failure?.name).toBe('IncompleteBackupError');
  });

  it('that are no errors of ours become InternalError, with what was said', async () => {
    const { failure } = await run({
      Seal: () => {
        throw new TypeError('x is not a function');
      },
    });
    expect(failure?.name).toBe('InternalError');
    expect(failure?.message).toContain('x is not a function');
  });

  it('stay under the limit of a Cause', () => {
    const large = new HoldfastError('InternalError', 'm', {
      evidence: { text: 'x'.repeat(100_000) },
    });
    expect(causeOf(failureOf(large)).length).toBeLessThan(32_768);
  });
});

it('ends no run by the time limit of the whole machine, which is for executions that nobody waits for', async () => {
  const limited = {
    ...{ StartAt: 'Late', TimeoutSeconds: 1 },
    States: { Late: { Type: 'Wait', Seconds: 2, End: true } },
  } as const;
  const call = () => Promise.reject(new Error('No task is called.'));
  await expect(execute(limited, { name: 'late', input: { ran: true }, call })).resolves.toEqual({
    ran: true,
  });
});
