/** Walks over a state machine definition, for the tests that guard it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface State extends JsonObject {
  Type: string;
}

export interface Machine extends JsonObject {
  StartAt: string;
  States: { [name: string]: State };
}

const folder = join(import.meta.dirname, '../../statemachines');

export function definitions(): { name: string; text: string; machine: Machine }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.asl.json'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return { name, text, machine: JSON.parse(text) as Machine };
    });
}

/** This machine and those inside of it (branches, item processors), with the path to each. */
export function* machinesOf(
  machine: Machine,
  path = '',
): Generator<{ path: string; machine: Machine }> {
  yield { path, machine };
  for (const [name, state] of Object.entries(machine.States)) {
    const inner = [...((state.Branches ?? []) as Machine[])];
    if (state.ItemProcessor !== undefined) inner.push(state.ItemProcessor as Machine);
    for (const [index, child] of inner.entries())
      yield* machinesOf(child, `${path}/${name}[${index}]`);
  }
}

export function* statesOf(
  machine: Machine,
): Generator<{ name: string; path: string; state: State }> {
  for (const { path, machine: inner } of machinesOf(machine)) {
    for (const [name, state] of Object.entries(inner.States)) {
      yield { name, path: `${path}/${name}`, state };
    }
  }
}

/** The handler that a Task state names by its resource. */
export function handlerOf(state: State): string {
  return /^\$\{(\w+)FunctionArn\}$/.exec(String(state.Resource))?.[1] ?? String(state.Resource);
}

/** The state machine whose executions a Task state starts and waits for; undefined for one that calls a handler. */
export function childOf(state: State): string | undefined {
  if (state.Resource !== 'arn:aws:states:::states:startExecution.sync:2') return undefined;
  const arn = String((state.Parameters as JsonObject).StateMachineArn);
  return /^\$\{(\w+)StateMachineArn\}$/.exec(arn)?.[1]?.toLowerCase() ?? arn;
}

/** Every string in a value, at any depth. */
export function* stringsIn(value: Json): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (value !== null && typeof value === 'object') {
    for (const inner of Object.values(value)) yield* stringsIn(inner);
  }
}
