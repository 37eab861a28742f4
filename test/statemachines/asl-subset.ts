/**
 * The subset of the Amazon States Language that AWS, the local engine and the emulators run alike (design §4).
 * What is not named here is refused: the local engine ignores what it does not know, silently.
 */
import type { Json, JsonObject, Machine, State } from './definition.ts';
import { machinesOf } from './definition.ts';

const common = ['Type', 'Comment', 'InputPath', 'OutputPath'];
const flow = ['Next', 'End'];
const errors = ['Retry', 'Catch'];
const results = ['Parameters', 'ResultPath', 'ResultSelector'];

const stateFields: Readonly<Record<string, readonly string[]>> = {
  Task: [...common, ...flow, ...errors, ...results, 'Resource', 'TimeoutSeconds'],
  Choice: [...common, 'Choices', 'Default'],
  Wait: [...common, ...flow, 'Seconds', 'SecondsPath'],
  Parallel: [...common, ...flow, ...errors, ...results, 'Branches'],
  Map: [
    ...[...common, ...flow, ...errors, 'ResultPath', 'ResultSelector'],
    ...['ItemsPath', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'MaxConcurrencyPath'],
    // Only in the names of what AWS shows: the local engine may ignore it.
    'Label',
  ],
  Pass: [...common, ...flow, 'Parameters', 'ResultPath', 'Result'],
  Succeed: common,
  Fail: ['Type', 'Comment', 'Error', 'ErrorPath', 'Cause', 'CausePath'],
};

const machineFields = ['Comment', 'StartAt', 'States'];
const retryFields = [
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
];
const catchFields = ['ErrorEquals', 'ResultPath', 'Next'];
const choiceFields = [
  ...['Variable', 'Next', 'And', 'Or', 'Not', 'Comment'],
  ...[
    'BooleanEquals',
    'StringEquals',
    'NumericEquals',
    'NumericLessThan',
    'NumericGreaterThan',
    'IsPresent',
    'IsNull',
  ],
];
const intrinsics = [
  ...['States.MathAdd', 'States.Format', 'States.Array', 'States.ArrayLength'],
  'States.JsonMerge',
];

/** Sentences about everything outside of the subset; none when it is inside. */
export function outsideOfSubset(machine: Machine): string[] {
  const found: string[] = [];
  for (const { path, machine: inner } of machinesOf(machine)) {
    const isProcessor = inner.ProcessorConfig !== undefined;
    const more = isProcessor ? ['ProcessorConfig'] : path === '' ? ['TimeoutSeconds'] : [];
    only(inner, [...machineFields, ...more], path || '/');
    if (
      isProcessor &&
      JSON.stringify(inner.ProcessorConfig) !== '{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}'
    ) {
      found.push(`${path}: ProcessorConfig`);
    }
    for (const [name, state] of Object.entries(inner.States)) checkState(`${path}/${name}`, state);
  }
  return found;

  function only(value: object, allowed: readonly string[], where: string): void {
    for (const field of Object.keys(value)) {
      if (!allowed.includes(field)) found.push(`${where}: ${field}`);
    }
  }

  function checkState(where: string, state: State): void {
    const allowed = stateFields[state.Type];
    if (allowed === undefined) {
      found.push(`${where}: Type ${state.Type}`);
      return;
    }
    only(state, allowed, where);
    for (const retrier of (state.Retry ?? []) as object[])
      only(retrier, retryFields, `${where}/Retry`);
    for (const catcher of (state.Catch ?? []) as object[])
      only(catcher, catchFields, `${where}/Catch`);
    for (const rule of (state.Choices ?? []) as JsonObject[]) {
      only(rule, choiceFields, `${where}/Choices`);
      // The local engine never matches them.
      for (const field of ['IsNull', 'IsPresent']) {
        if (rule[field] === false) found.push(`${where}/Choices: ${field} false`);
      }
    }
    if ((state.Type === 'Map' || state.Type === 'Parallel') && state.ResultPath !== null) {
      found.push(`${where}: ResultPath must be null (10,000 results are over 256 kB)`);
    }
    const {
      States: _,
      Branches: _branches,
      ItemProcessor: _processor,
      Comment: _comment,
      ...own
    } = state as Record<string, Json>;
    checkPaths(where, own);
  }

  function checkPaths(where: string, value: Json): void {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner !== 'string') {
        checkPaths(where, inner);
        continue;
      }
      const isPath = key.endsWith('.$') || key.endsWith('Path') || key === 'Variable';
      if (!isPath) continue;
      if (inner.includes('[')) found.push(`${where}: ${inner} has an index`);
      const call = /^States\.\w+/.exec(inner)?.[0];
      if (call !== undefined && !intrinsics.includes(call)) found.push(`${where}: ${call}`);
      else if (call === undefined && !/^\$(\$?(\.[A-Za-z]+)+)?$/.test(inner))
        found.push(`${where}: ${inner}`);
    }
  }
}
