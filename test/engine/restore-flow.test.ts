import { describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { failureFromCaught } from '../../core/run/failure.ts';
import { definitionOf } from '../../local/engine/definition.ts';
import { execute, loadStateMachine, taskStates } from '../../local/engine/state-machine.ts';

type Input = Record<string, unknown>;
type Answer = (input: Input, nth: number) => unknown;
const caughtAs = ({ error }: Input) => {
  const failure = failureFromCaught(error);
  return { error: failure.error, cause: failure.message };
};
const failing = (name: ConstructorParameters<typeof HoldfastError>[0]) => () => {
  throw new HoldfastError(name, 'it failed', { hint: 'do this' });
};

const planned = {
  ...{ runId: 'earlier', backupId: 'b', mode: 'swap', jobs: 2 },
  ...{ isDryRun: false, isReady: false, safety: null, units: [0, 1, 2] },
};

/** Runs a real definition with answers instead of handlers; calls and children are told in order. */
async function run(
  machine: 'restore' | 'drill',
  answers: Partial<Record<StateName | 'SafetyBackup' | 'RestoreToScratch', Answer>> = {},
) {
  const calls: { state: string; input: Input }[] = [];
  const counts = new Map<string, number>();
  const usual: Partial<Record<string, Answer>> = {
    PlanRestore: () => planned,
    LoadUnit: () => ({ isDone: true, rows: 1, readBytes: 1 }),
    PlanBuilds: () => ({ waves: [[0, 1], [2]], comparisons: [0, 1] }),
    Build: () => ({ isDone: true, share: null, waitSeconds: 1 }),
    CompareUnit: () => ({ isDone: true, tables: 1, differences: 0 }),
    ReportRestore: () => ({ done: true }),
    AbortRestore: caughtAs,
    FailRestore: caughtAs,
    SafetyBackup: () => ({ backupId: 'safe' }),
    PlanDrill: ({ runId }) => ({ runId, isDuplicate: false, restore: { target: 'there' } }),
    RestoreToScratch: () => ({ state: 'succeeded', verdict: 'identical' }),
    ConcludeDrill: ({ restore, error }) =>
      error === null
        ? { ...(restore as object), error: null }
        : { state: 'failed', verdict: 'different', error: nameAndMessage(error) },
  };
  const call = async (state: string, input: unknown) => {
    calls.push({ state, input: input as Input });
    const nth = (counts.get(state) ?? 0) + 1;
    counts.set(state, nth);
    const answer = (answers as Record<string, Answer>)[state] ?? usual[state] ?? (() => ({}));
    return answer(input as Input, nth);
  };
  const definition = await loadStateMachine(definitionOf(machine));
  const child = (state: string) => (execution: { name: string; input: unknown }) =>
    call(state, execution);
  const outcome = await execute(definition, {
    name: 'run-1',
    input: { target: 'there' },
    retryMilliseconds: Object.fromEntries([...taskStates(definition).keys()].map((s) => [s, 1])),
    call,
    children: {
      SafetyBackup: child('SafetyBackup'),
      RestoreToScratch: child('RestoreToScratch'),
    },
  }).then(
    (output) => ({ output, failure: undefined }),
    (failure: unknown) => ({ output: undefined, failure: failure as HoldfastError }),
  );
  return { ...outcome, calls, states: calls.map(({ state }) => state) };
}

const nameAndMessage = (error: unknown) => {
  const failure = failureFromCaught(error);
  return { name: failure.error, message: failure.message, hint: '' };
};

describe('the flow of restore', () => {
  it('goes from PlanRestore to ReportRestore, wave after wave, under the run id that PlanRestore gave', async () => {
    const { output, states, calls } = await run('restore');
    expect(output).toEqual({ done: true });
    expect(states).toEqual([
      ...['PlanRestore', 'CreateTarget', 'LoadUnit', 'LoadUnit', 'LoadUnit', 'FinishRows'],
      ...['PlanBuilds', 'Build', 'Build', 'Build', 'CompareUnit', 'CompareUnit', 'CompareSchema'],
      ...['RunChecks', 'Cutover', 'ReportRestore'],
    ]);
    const builds = calls.filter(({ state }) => state === 'Build').map(({ input }) => input);
    expect(builds.map(({ build }) => build)).toEqual([0, 1, 2]);
    expect(calls[0]?.input).toEqual({ runId: 'run-1', request: { target: 'there' } });
    for (const { input } of calls.slice(1)) expect(input.runId).toBe('earlier');
  });

  it('ends a dry run with the report, and goes straight to the cutover when all else is done', async () => {
    const dry = await run('restore', { PlanRestore: () => ({ ...planned, isDryRun: true }) });
    expect(dry.states).toEqual(['PlanRestore', 'ReportRestore']);
    const ready = await run('restore', { PlanRestore: () => ({ ...planned, isReady: true }) });
    expect(ready.states).toEqual(['PlanRestore', 'Cutover', 'ReportRestore']);
  });

  it('takes the safety backup before anything is created, as an execution of its own, and notes its id', async () => {
    const { states, calls } = await run('restore', {
      PlanRestore: () => ({ ...planned, safety: { source: 'shop' } }),
    });
    const order = ['PlanRestore', 'SafetyBackup', 'NoteSafetyBackup', 'CreateTarget'];
    expect(states.slice(0, 4)).toEqual(order);
    expect(calls[1]?.input).toEqual({
      name: 'run-1-safety',
      input: { source: 'shop', AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'run-1' },
    });
    expect(calls[2]?.input).toEqual({ runId: 'earlier', backupId: 'safe' });
  });

  it('creates nothing when the safety backup fails, and tells the error of the backup', async () => {
    const { states, failure, calls } = await run('restore', {
      PlanRestore: () => ({ ...planned, safety: { source: 'shop' } }),
      SafetyBackup: failing('VaultFullError'),
    });
    expect(states).toEqual(['PlanRestore', 'SafetyBackup', 'FailRestore']);
    expect(failure?.name).toBe('VaultFullError');
    expect(calls.at(-1)?.input).toMatchObject({ error: { Error: 'States.TaskFailed' } });
  });

  it('calls a unit, a build and a comparison again until they are done', async () => {
    const soon = (_: Input, nth: number) => ({
      isDone: nth > 3,
      rows: 0,
      share: null,
      waitSeconds: 0,
    });
    const { states } = await run('restore', {
      PlanRestore: () => ({ ...planned, units: [7] }),
      PlanBuilds: () => ({ waves: [[0]], comparisons: [0] }),
      ...{ LoadUnit: soon, Build: soon, CompareUnit: soon },
    });
    for (const state of ['LoadUnit', 'Build', 'CompareUnit']) {
      expect(states.filter((one) => one === state)).toHaveLength(4);
    }
  });

  it('restores a database without rows and without anything to build', async () => {
    const { output, states } = await run('restore', {
      PlanRestore: () => ({ ...planned, units: [] }),
      PlanBuilds: () => ({ waves: [], comparisons: [] }),
    });
    expect(output).toEqual({ done: true });
    expect(states).not.toContain('LoadUnit');
  });

  it.each([
    ...['PlanRestore', 'CreateTarget', 'LoadUnit', 'FinishRows', 'PlanBuilds', 'Build'],
    ...['CompareUnit', 'CompareSchema', 'RunChecks', 'Cutover'],
  ] as StateName[])(
    'an error of %s reaches FailRestore, and nothing comes after it',
    async (state) => {
      const { failure, states, calls } = await run('restore', {
        [state]: failing('TargetFullError'),
      });
      expect(failure?.name).toBe('TargetFullError');
      expect(states.at(-1)).toBe('FailRestore');
      expect(states).not.toContain('ReportRestore');
      expect(calls.at(-1)?.input.runId).toBe(state === 'PlanRestore' ? 'run-1' : 'earlier');
      const isInMap = ['LoadUnit', 'Build', 'CompareUnit'].includes(state);
      expect(states.includes('AbortRestore')).toBe(isInMap);
    },
  );

  it('looks at a build again after the time that the build says', async () => {
    const at: number[] = [];
    const { states } = await run('restore', {
      PlanBuilds: () => ({ waves: [[0]], comparisons: [] }),
      Build: (_, nth) => {
        at.push(performance.now());
        return { isDone: nth === 2, share: null, waitSeconds: 2 };
      },
    });
    expect(states.filter((state) => state === 'Build')).toHaveLength(2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(1_900);
  });

  it.each([
    ...['WorkerLostError', 'ConnectionLostError', 'TaskTimedOutError', 'VaultIoError'],
    ...['TooManyConnectionsError', 'SourceUnreachableError'],
  ] as const)('tries any state again after %s', async (name) => {
    const states = ['CreateTarget', 'LoadUnit', 'FinishRows', 'Build', 'CompareUnit', 'Cutover'];
    for (const state of states) {
      const { output } = await run('restore', {
        [state]: (_: Input, nth: number) => {
          if (nth === 1) throw new HoldfastError(name as 'WorkerLostError', 'once');
          return { isDone: true };
        },
      });
      expect(output, state).toEqual({ done: true });
    }
  });
});

describe('the flow of drill', () => {
  it('restores to a scratch database and proves', async () => {
    const { output, states, calls } = await run('drill');
    expect(states).toEqual(['PlanDrill', 'RestoreToScratch', 'ConcludeDrill']);
    expect(calls[1]?.input).toEqual({
      name: 'run-1-scratch',
      input: { target: 'there', AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'run-1' },
    });
    expect(calls[2]?.input).toMatchObject({ runId: 'run-1', error: null });
    expect(output).toMatchObject({ verdict: 'identical' });
  });

  it('does nothing at a time that another drill has claimed', async () => {
    const { output, states } = await run('drill', {
      PlanDrill: ({ runId }) => ({ runId, isDuplicate: true, restore: null }),
    });
    expect(states).toEqual(['PlanDrill']);
    expect(output).toMatchObject({ isDuplicate: true });
  });

  it('concludes a restore that failed, too, and fails with its error', async () => {
    const { failure, states, calls } = await run('drill', {
      RestoreToScratch: failing('ObjectDamagedError'),
    });
    expect(states).toEqual(['PlanDrill', 'RestoreToScratch', 'ConcludeDrill']);
    expect(calls[2]?.input.restore).toBeNull();
    expect(failure).toMatchObject({ name: 'ObjectDamagedError', message: 'it failed' });
  });

  it('does not take a restore that was not compared for a proof', async () => {
    const { failure } = await run('drill', {
      RestoreToScratch: () => ({ state: 'succeeded', verdict: 'not-compared' }),
    });
    expect(failure?.name).toBe('RestoreDifferentError');
  });
});
