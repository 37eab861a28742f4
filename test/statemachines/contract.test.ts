import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorCatalogue } from '../../core/contract/errors.ts';
import { payloads, type StateName } from '../../core/contract/payloads.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { sizeOf } from '../../lib/functions/sizes.ts';
import {
  childOf,
  definitions,
  handlerOf,
  type JsonObject,
  type Machine,
  machinesOf,
  type State,
  statesOf,
} from './definition.ts';

const kebab = (name: string) => name.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
const keysOf = (schema: z.ZodType) =>
  Object.keys(
    (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as object,
  );

/** Of AWS itself: the function died, ran out of its time, or could not be called. Nothing else of AWS is tried again. */
const namesOfAws = [
  ...['States.Timeout', 'Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'],
  ...['Lambda.Unknown', 'Lambda.ServiceException', 'Lambda.AWSLambdaException'],
  ...['Lambda.SdkClientException', 'Lambda.ClientExecutionTimeoutException'],
  'Lambda.TooManyRequestsException',
];
const lost = [
  ...['WorkerLostError', 'ConnectionLostError', 'TaskTimedOutError', 'VaultIoError'],
  ...['KeyServiceError', 'KeyThrottledError', 'AwsServiceError'],
];

const machines = definitions();
const tasksOf = (machine: Machine) =>
  [...statesOf(machine)].filter(({ state }) => state.Type === 'Task');
const handled = (machine: Machine) =>
  tasksOf(machine).filter(({ state }) => childOf(state) === undefined);

/** What the states of a machine put into the state beside the output of the first: the names, and whose output each is. */
const written: Record<string, Record<string, StateName | null>> = {
  'backup.asl.json': {
    ...{ runId: null, error: null, attempt: null, unit: null, part: null, object: null },
    ...{ plan: 'PlanUnits', sealed: 'Seal', watch: 'WatchSnapshot', done: 'DumpUnit' },
    ...{ published: 'Publish' },
  },
  'restore.asl.json': {
    ...{ runId: null, error: null, unit: null, build: null, wave: null },
    ...{ plan: 'PlanBuilds', safetyBackup: 'NoteSafetyBackup', done: null, link: null },
  },
  'drill.asl.json': { ...{ error: null, scratch: null, state: null, verdict: null, link: null } },
};

describe.each(machines)('$name and the contract', ({ name: file, machine }) => {
  it.each(handled(machine).map(({ path, state }) => [path, state] as const))(
    '%s: has payloads and a handler in a file of its own, and gives it exactly its input',
    (_, state) => {
      const name = handlerOf(state) as StateName;
      expect(Object.keys(payloads)).toContain(name);
      expect(handlers[name]).toBeTypeOf('function');
      expect(existsSync(join(import.meta.dirname, `../../lambdas/${kebab(name)}.ts`))).toBe(true);
      const given = Object.keys(state.Parameters as object).map((key) => key.replace(/\.\$$/, ''));
      expect(given.sort()).toEqual(keysOf(payloads[name].input).sort());
    },
  );

  it('names a state after each handler', () => {
    for (const { name, state } of handled(machine)) {
      expect(name.startsWith(handlerOf(state))).toBe(true);
    }
  });

  it('retries and catches names of the catalogue and of AWS only, and retries what the catalogue calls retryable', () => {
    for (const { path, state } of statesOf(machine)) {
      for (const [field, rules] of [
        ['Retry', state.Retry],
        ['Catch', state.Catch],
      ] as const) {
        for (const rule of (rules ?? []) as { ErrorEquals: string[] }[]) {
          for (const name of rule.ErrorEquals) {
            if (field === 'Catch' && name === 'States.ALL') continue;
            if (field === 'Retry' && namesOfAws.includes(name)) continue;
            const entry = (errorCatalogue as Record<string, { retryable: boolean }>)[name];
            expect(entry, `${path}: ${name}`).toBeDefined();
            if (field === 'Retry') expect(entry?.retryable, `${path}: ${name}`).toBe(true);
          }
        }
      }
    }
  });

  it('tries every task again that lost its worker, its server, its vault or its keys, and that Lambda could not run', () => {
    for (const { path, state } of handled(machine)) {
      const names = ((state.Retry ?? []) as { ErrorEquals: string[] }[]).flatMap(
        (rule) => rule.ErrorEquals,
      );
      expect(names, path).toEqual(expect.arrayContaining([...lost, ...namesOfAws]));
      expect(new Set(names).size, `${path} names an error twice: only the first counts`).toBe(
        names.length,
      );
    }
  });

  it('waits for a function a minute longer than it may run: whose time is over is told by Lambda, not by a race', () => {
    for (const { path, state } of handled(machine)) {
      const { timeoutSeconds } = sizeOf(handlerOf(state) as StateName);
      expect(state.TimeoutSeconds, path).toBeGreaterThanOrEqual(timeoutSeconds + 60);
    }
  });

  it('catches whatever a Task, Map or Parallel can end with', () => {
    for (const { path, state } of statesOf(machine)) {
      if (!['Task', 'Map', 'Parallel'].includes(state.Type)) continue;
      const names = ((state.Catch ?? []) as { ErrorEquals: string[] }[]).flatMap(
        (rule) => rule.ErrorEquals,
      );
      expect(names, path).toContain('States.ALL');
    }
  });

  it('writes the abort mark in each branch and child before that fails', () => {
    const abort = file === 'backup.asl.json' ? 'AbortDump' : 'AbortRestore';
    for (const { path, machine: inner } of machinesOf(machine)) {
      // The replica's children never fail: the backup is published, and stays so whatever becomes of them.
      if (path === '' || path === '/ReplicateUnits[0]') continue;
      const aborts = Object.values(inner.States).filter((state) => handlerOf(state) === abort);
      expect(aborts, path).toHaveLength(1);
      const fails = Object.values(inner.States).filter(({ Type }) => Type === 'Fail');
      expect(fails.length, path).toBeGreaterThan(0);
      for (const state of Object.values(inner.States)) {
        for (const { Next } of (state.Catch ?? []) as { Next: string }[]) {
          if (handlerOf(state) !== abort)
            expect(handlerOf(inner.States[Next] as State), path).toBe(abort);
        }
      }
    }
  });

  it('never unpublishes: behind Publish all ways lead to Report', () => {
    if (file !== 'backup.asl.json') return;
    const ends = new Set<string>();
    const seen = new Set<string>();
    const follow = (name: string) => {
      if (seen.has(name)) return;
      seen.add(name);
      const state = machine.States[name] as State;
      if (name === 'Report') return;
      const next = [
        state,
        ...((state.Choices ?? []) as JsonObject[]),
        ...((state.Catch ?? []) as JsonObject[]),
      ]
        .flatMap((way) => [way.Next, way.Default])
        .filter((way) => way !== undefined) as string[];
      if (next.length === 0) ends.add(name);
      for (const each of next) follow(each);
    };
    follow('HasReplica');
    expect([...ends]).toEqual([]);
    expect([...seen].sort()).toEqual(['HasReplica', 'RecordReplica', 'ReplicateUnits', 'Report']);
    const child = [...machinesOf(machine)].find(({ path }) => path === '/ReplicateUnits[0]');
    const types = Object.values(child?.machine.States ?? {}).map(({ Type }) => Type);
    expect(types).toEqual(['Task', 'Pass']);
  });

  it('waits about 15 minutes for a replica: what S3 promises', () => {
    for (const { path, state } of handled(machine)) {
      for (const rule of (state.Retry ?? []) as JsonObject[]) {
        if (!(rule.ErrorEquals as string[]).includes('ReplicaBehindError')) continue;
        const { IntervalSeconds: first, MaxAttempts: tries } = rule as Record<string, number>;
        const { BackoffRate: rate, MaxDelaySeconds: most } = rule as Record<string, number>;
        const delays = Array.from({ length: tries as number }, (_, i) =>
          Math.min((first as number) * (rate as number) ** i, most as number),
        );
        expect(
          delays.reduce((sum, delay) => sum + delay, 0),
          path,
        ).toBe(875);
      }
    }
  });

  it('selects only what is there: each path of a state is written by a state before it', () => {
    const start = handlerOf(machine.States[machine.StartAt] as State) as StateName;
    const names = written[file] as Record<string, StateName | null>;
    const known = new Set([...Object.keys(names), ...keysOf(payloads[start].output)]);
    for (const { path, state } of statesOf(machine)) {
      if (state.Type === 'Fail') continue;
      for (const selected of pathsOf(state)) {
        const [, first, second] = selected.split('.') as [string, string, string | undefined];
        expect(known, `${path}: ${selected}`).toContain(first);
        const from = names[first];
        if (second !== undefined && from)
          expect(keysOf(payloads[from].output), `${path}: ${selected}`).toContain(second);
      }
    }
  });
});

describe('the state machines together', () => {
  it('use every handler', () => {
    const used = machines.flatMap(({ machine }) =>
      handled(machine).map(({ state }) => handlerOf(state)),
    );
    expect([...new Set(used)].sort()).toEqual(Object.keys(payloads).sort());
  });

  it('try again what Lambda answers by the same two rules in every state: one that was seen at work speaks for all', () => {
    const rules = machines.flatMap(({ machine }) =>
      handled(machine).map(({ state }) =>
        ((state.Retry ?? []) as { ErrorEquals: string[] }[])
          .filter(({ ErrorEquals }) => ErrorEquals.some((name) => namesOfAws.includes(name)))
          .map((rule) => JSON.stringify(rule)),
      ),
    );
    expect(rules[0]).toHaveLength(2);
    for (const each of rules) expect(each).toEqual(rules[0]);
  });

  it('start each other by name: a drill restores, a restore backs up first', () => {
    const started = machines.flatMap(({ name, machine }) =>
      tasksOf(machine).flatMap(({ state }) => {
        const child = childOf(state);
        return child === undefined ? [] : [[name, child]];
      }),
    );
    expect(Object.fromEntries(started)).toEqual({
      'drill.asl.json': 'restore',
      'restore.asl.json': 'backup',
    });
  });

  it('give a child execution a name of its own and an input, and nothing else', () => {
    for (const { machine } of machines) {
      for (const { path, state } of tasksOf(machine)) {
        if (childOf(state) === undefined) continue;
        const given = Object.keys(state.Parameters as object);
        expect(given, path).toEqual(['StateMachineArn', 'Name.$', 'Input.$']);
      }
    }
  });
});

/** `$.a.b` of what a state reads (not of what it writes), also inside of intrinsics. */
function pathsOf(state: State): string[] {
  const {
    Branches: _b,
    ItemProcessor: _p,
    Comment: _c,
    ResultPath: _r,
    Catch: _k,
    ResultSelector: _s,
    ...read
  } = state as JsonObject;
  return [...JSON.stringify(read).matchAll(/(?<!\$)\$\.[\w.]+/g)].map(([path]) => path);
}
