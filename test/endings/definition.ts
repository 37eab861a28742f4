/** What a definition says of the ways through it: so that a state that is added later is ended at by itself. */
import type { MachineName } from '../../core/contract/names.ts';
import {
  childOf,
  definitions,
  type JsonObject,
  type Machine,
  machinesOf,
  type State,
  statesOf,
} from '../statemachines/definition.ts';

export function definitionOf(machine: MachineName): Machine {
  const found = definitions().find(({ name }) => name === `${machine}.asl.json`);
  if (found === undefined) throw new Error(`There is no ${machine}.asl.json.`);
  return found.machine;
}

const isTask = (state: State): boolean => state.Type === 'Task';

/** Where a state may lead when nothing fails. */
const nextOf = (state: State): string[] =>
  [state.Next, state.Default, ...((state.Choices ?? []) as JsonObject[]).map(({ Next }) => Next)]
    .filter((next) => next !== undefined)
    .map(String);

/** Task states that are passed when nothing fails, at any depth; those that start an execution too. */
export function plainTasks(machine: MachineName): string[] {
  const found: string[] = [];
  for (const { machine: inner } of machinesOf(definitionOf(machine))) {
    const open = [inner.StartAt];
    const seen = new Set(open);
    for (let name = open.shift(); name !== undefined; name = open.shift()) {
      const state = inner.States[name] as State;
      if (isTask(state)) found.push(name);
      for (const next of nextOf(state)) if (!seen.has(next)) open.push(next);
      for (const next of nextOf(state)) seen.add(next);
    }
  }
  return found;
}

/** Task states that only a Catch leads to, each with a Task state whose failure does. */
export function failureTasks(machine: MachineName): { state: string; failing: string }[] {
  const plain = plainTasks(machine);
  return [...statesOf(definitionOf(machine))]
    .filter(({ name, state }) => isTask(state) && !plain.includes(name))
    .map(({ name }) => ({ state: name, failing: leadingTo(machine, name) }));
}

/** A Task state whose failure leads there: one that catches it itself, or one inside of a Map or Parallel that does. */
function leadingTo(machine: MachineName, wanted: string): string {
  const plain = plainTasks(machine);
  const states = [...statesOf(definitionOf(machine))];
  // A state before it that only shapes the input counts as the state itself.
  const doors = states.filter(({ state }) => state.Type === 'Pass' && state.Next === wanted);
  const targets = [wanted, ...doors.map(({ name }) => name)];
  const catching = states.filter(({ state }) =>
    ((state.Catch ?? []) as JsonObject[]).some(({ Next }) => targets.includes(String(Next))),
  );
  const tasks = catching.flatMap(({ name, state }) =>
    isTask(state) ? [name] : [...insideOf(state)],
  );
  // The last one: most has been made by then.
  const found = tasks.filter((name) => plain.includes(name)).at(-1);
  if (found === undefined) throw new Error(`No failure leads to ${wanted} of ${machine}.`);
  return found;
}

function* insideOf(state: State): Generator<string> {
  const inner = [...((state.Branches ?? []) as Machine[])];
  if (state.ItemProcessor !== undefined) inner.push(state.ItemProcessor as Machine);
  for (const machine of inner) {
    for (const { name, state: one } of statesOf(machine)) if (isTask(one)) yield name;
  }
}

/** Task states that start an execution of another machine, and of which. */
export const childrenOf = (machine: MachineName): Map<string, MachineName> =>
  new Map(
    [...statesOf(definitionOf(machine))]
      .map(({ name, state }) => [name, childOf(state)] as const)
      .filter((pair): pair is readonly [string, MachineName] => pair[1] !== undefined),
  );

/** Wait states: a test does not wait. */
export const waitsOf = (machine: MachineName): string[] =>
  [...statesOf(definitionOf(machine))]
    .filter(({ state }) => state.Type === 'Wait')
    .map(({ name }) => name);
