import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorCatalogue } from '../../core/contract/errors.ts';
import { payloads, type StateName } from '../../core/contract/payloads.ts';
import { handlers } from '../../lambdas/handlers.ts';
import {
  definitions,
  handlerOf,
  type JsonObject,
  machinesOf,
  type State,
  statesOf,
} from './definition.ts';

const machine = definitions().find(({ name }) => name === 'backup.asl.json')?.machine;
if (machine === undefined) throw new Error('statemachines/backup.asl.json is missing');
const tasks = [...statesOf(machine)].filter(({ state }) => state.Type === 'Task');
const kebab = (name: string) => name.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
const keysOf = (schema: z.ZodType) =>
  Object.keys(
    (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as object,
  );

describe('backup.asl.json and the contract', () => {
  it.each(tasks.map(({ path, state }) => [path, state] as const))(
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

  it('uses every handler, and names a state after each', () => {
    const used = new Set(tasks.map(({ state }) => handlerOf(state)));
    expect([...used].sort()).toEqual(Object.keys(payloads).sort());
    for (const name of used) {
      const states = tasks.filter(({ state }) => handlerOf(state) === name);
      for (const state of states) expect(state.name.startsWith(name)).toBe(true);
    }
  });

  it('retries and catches names of the catalogue only, and retries what the catalogue calls retryable', () => {
    for (const { path, state } of statesOf(machine)) {
      for (const [field, rules] of [
        ['Retry', state.Retry],
        ['Catch', state.Catch],
      ] as const) {
        for (const rule of (rules ?? []) as { ErrorEquals: string[] }[]) {
          for (const name of rule.ErrorEquals) {
            if (field === 'Catch' && name === 'States.ALL') continue;
            const entry = (errorCatalogue as Record<string, { retryable: boolean }>)[name];
            expect(entry, `${path}: ${name}`).toBeDefined();
            if (field === 'Retry') expect(entry?.retryable, `${path}: ${name}`).toBe(true);
          }
        }
      }
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
    for (const { path, machine: inner } of machinesOf(machine)) {
      if (path === '') continue;
      const aborts = Object.values(inner.States).filter(
        (state) => handlerOf(state) === 'AbortDump',
      );
      expect(aborts, path).toHaveLength(1);
      const fails = Object.values(inner.States).filter(({ Type }) => Type === 'Fail');
      expect(fails.length, path).toBeGreaterThan(0);
      for (const state of Object.values(inner.States)) {
        for (const { Next } of (state.Catch ?? []) as { Next: string }[]) {
          if (handlerOf(state) !== 'AbortDump')
            expect(handlerOf(inner.States[Next] as State), path).toBe('AbortDump');
        }
      }
    }
  });

  it('selects only what is there: each path of a state is written by a state before it', () => {
    const written = new Set([
      'runId',
      'error',
      'attempt',
      'plan',
      'sealed',
      'watch',
      'done',
      'unit',
      'part',
      'object',
    ]);
    for (const name of keysOf(payloads.Plan.output)) written.add(name);
    const fieldsOf: Record<string, z.ZodType> = {
      plan: payloads.PlanUnits.output,
      sealed: payloads.Seal.output,
      watch: payloads.WatchSnapshot.output,
      done: payloads.DumpUnit.output,
    };
    for (const { path, state } of statesOf(machine)) {
      if (state.Type === 'Fail') continue;
      for (const selected of pathsOf(state)) {
        const [, first, second] = selected.split('.');
        expect(written, `${path}: ${selected}`).toContain(first);
        const fields = fieldsOf[first as string];
        if (second !== undefined)
          expect(keysOf(fields as z.ZodType), `${path}: ${selected}`).toContain(second);
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
    ...read
  } = state as JsonObject;
  return [...JSON.stringify(read).matchAll(/(?<!\$)\$\.[\w.]+/g)].map(([path]) => path);
}
