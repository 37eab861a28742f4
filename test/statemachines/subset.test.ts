import validate from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { outsideOfSubset } from './asl-subset.ts';
import {
  childOf,
  definitions,
  type JsonObject,
  type Machine,
  statesOf,
  stringsIn,
} from './definition.ts';

describe.each(definitions())('$name', ({ text, machine }) => {
  it('stays inside of the subset that all interpreters run alike', () => {
    expect(outsideOfSubset(machine)).toEqual([]);
  });

  it('is valid for asl-validator', () => {
    const local = text.replaceAll(/\$\{\w+\}/g, 'arn:aws:lambda:us-east-1:000000000000:function:x');
    const result = validate(JSON.parse(local));
    expect(result.isValid ? '' : result.errorsText('\n')).toBe('');
  });

  it('has substitutions inside of strings only, each a function or a state machine', () => {
    for (const string of stringsIn(machine)) {
      if (string.includes('${'))
        expect(string).toMatch(/^\$\{[A-Z]\w+(Function|StateMachine)Arn\}$/);
    }
    expect(text).not.toMatch(/[^"]\$\{/);
  });

  it('explains itself: every state has a comment, every name is used once, every task a time limit', () => {
    const names = [...statesOf(machine)].map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const { path, state } of statesOf(machine)) {
      expect.soft(String(state.Comment ?? '').length, path).toBeGreaterThan(20);
      if (state.Type === 'Task') expect.soft(state.TimeoutSeconds, path).toBeGreaterThan(0);
    }
  });
});

/** A snapshot is held for a day at most (`holdDeadlineSeconds`); what is verified and copied comes after it. */
const hour = 3_600;

it('every machine ends by itself, and who starts another waits for longer than that one may take', () => {
  const machineOf = (name: string) =>
    definitions().find((one) => one.name === `${name}.asl.json`)?.machine as Machine;
  const limitOf = (name: string) => Number(machineOf(name).TimeoutSeconds);
  expect(limitOf('backup')).toBeGreaterThanOrEqual(28 * hour);
  expect(limitOf('restore')).toBeGreaterThanOrEqual(4 * 24 * hour);
  const waits = ['backup', 'restore', 'drill'].flatMap((name) =>
    [...statesOf(machineOf(name))].flatMap(({ state }) => {
      const child = childOf(state);
      return child === undefined ? [] : [{ name, child, seconds: Number(state.TimeoutSeconds) }];
    }),
  );
  expect(waits.map(({ name, child }) => [name, child])).toEqual([
    ['restore', 'backup'],
    ['drill', 'restore'],
  ]);
  for (const { name, child, seconds } of waits) {
    expect(seconds).toBeGreaterThan(limitOf(child));
    expect(limitOf(name)).toBeGreaterThan(seconds);
  }
});

describe('the guard of the subset', () => {
  const first = definitions().find(({ name }) => name === 'backup.asl.json');
  const broken = (change: (states: Machine['States'], machine: JsonObject) => void) => {
    const machine = structuredClone(first?.machine) as Machine;
    change(machine.States, machine);
    return outsideOfSubset(machine);
  };

  it.each<[string, (states: Machine['States'], machine: JsonObject) => void]>([
    ['QueryLanguage', (_, machine) => (machine.QueryLanguage = 'JSONata')],
    ['Assign', (states) => ((states.Plan as JsonObject).Assign = {})],
    ['ItemReader', (states) => ((states.VerifyUnits as JsonObject).ItemReader = {})],
    [
      'ToleratedFailureCount',
      (states) => ((states.VerifyUnits as JsonObject).ToleratedFailureCount = 1),
    ],
    ['ResultPath', (states) => delete states.VerifyUnits?.ResultPath],
    [
      'Timestamp',
      (states) => (states.FirstAttempt = { Type: 'Wait', Timestamp: '2026-01-01T00:00:00Z' }),
    ],
    ['index', (states) => ((states.Seal as JsonObject).Parameters = { 'runId.$': '$.runs[0]' })],
    [
      'IsNull false',
      (states) => {
        (states.IsDuplicate as JsonObject).Choices = [
          { Variable: '$.runId', IsNull: false, Next: 'Seal' },
        ];
      },
    ],
    ['HeartbeatSeconds', (states) => ((states.Plan as JsonObject).HeartbeatSeconds = 5)],
  ])('refuses %s', (what, change) => {
    expect(broken(change).join()).toContain(what);
  });
});
