/**
 * Ends an execution at one of its states, in this process, as StopExecution, a timeout or a killed function does it: no
 * state follows, no Catch runs, what is at work works on without anybody who wants its answer. Then CleanUp is told of the
 * end of each execution that had begun, all at once, as by the rule on AWS.
 */
import { expect } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { MachineName } from '../../core/contract/names.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { type CleanedUp, cleanUp } from '../../core/run/clean-up.ts';
import { handlers } from '../../lambdas/handlers.ts';
import {
  type ChildExecution,
  execute,
  loadStateMachine,
  taskStates,
} from '../../local/engine/state-machine.ts';
import { ended } from '../run/clean-up-support.ts';
import { childrenOf, waitsOf } from './definition.ts';

/**
 * `answer lost`: what the state did is done, and nobody hears of it. `at work`: the state has begun and goes on with its
 * first connection, or its first write, when everything has been cleaned up already.
 */
export const moments = ['answer lost', 'at work'] as const;
export type Moment = (typeof moments)[number];

export interface EndAt {
  readonly machine: MachineName;
  readonly runId: string;
  readonly input: unknown;
  readonly moment: Moment;
  /** The machine whose state is meant: the one itself, or that of a child. */
  readonly at: { readonly machine: MachineName; readonly state: string };
  /** A Task state of the same machine that fails before, so that the state is reached. */
  readonly failing?: string;
  readonly status?: 'ABORTED' | 'TIMED_OUT';
  /** The ports of an execution of a machine: a safety backup is of another database. */
  readonly depsOf: (machine: MachineName) => Deps;
  /** Told when no state follows any more, before CleanUp, with what still works. */
  readonly onEnd?: (working: ReadonlyMap<Promise<unknown>, StateName>) => Promise<void>;
}

const never = new Promise<never>(() => undefined);
const definitions = new Map(
  await Promise.all(
    (['backup', 'restore', 'drill'] as const).map(
      async (machine) =>
        [
          machine,
          await loadStateMachine(
            new URL(`../../statemachines/${machine}.asl.json`, import.meta.url),
          ),
        ] as const,
    ),
  ),
);

/** @returns what CleanUp says of each execution, the first one first */
export async function endAt(options: EndAt): Promise<CleanedUp[]> {
  const { machine, runId, input } = options;
  const ending = new Ending(options);
  const over = ending.run(machine, runId, input).then(
    (output) => `it ended well: ${JSON.stringify(output).slice(0, 200)}`,
    (error: Error) => `it ended with ${error.name}: ${error.message}`,
  );
  const cleaned = await Promise.race([ending.done, over]);
  if (typeof cleaned === 'string') {
    throw new Error(`${options.at.state} of ${options.at.machine} was never reached: ${cleaned}`);
  }
  await ending.settled();
  return cleaned;
}

class Ending {
  readonly done: Promise<CleanedUp[]>;
  readonly #options: EndAt;
  readonly #resolve: (cleaned: CleanedUp[]) => void;
  readonly #reject: (error: unknown) => void;
  readonly #executions: { readonly machine: MachineName; readonly name: string }[] = [];
  readonly #working = new Map<Promise<unknown>, StateName>();
  #isOver = false;

  constructor(options: EndAt) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<CleanedUp[]>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  async run(machine: MachineName, name: string, input: unknown): Promise<unknown> {
    this.#executions.push({ machine, name });
    const definition = definitions.get(machine);
    if (definition === undefined) throw new Error(machine);
    const children = [...childrenOf(machine)].map(([state, child]) => [
      state,
      (given: ChildExecution) => this.#child(machine, state, child, given),
    ]);
    return execute(definition, {
      ...{ name, input, children: Object.fromEntries(children) },
      retryMilliseconds: Object.fromEntries(
        [...taskStates(definition).keys()].map((state) => [state, 10]),
      ),
      waitMilliseconds: Object.fromEntries(waitsOf(machine).map((state) => [state, 50])),
      call: (handler, payload, state) => this.#call(machine, handler, payload, state),
    });
  }

  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working.keys());
  }

  #isAt = (machine: MachineName, state: string): boolean =>
    machine === this.#options.at.machine && state === this.#options.at.state;

  #failIfMeant(machine: MachineName, state: string): void {
    const { at, failing } = this.#options;
    if (machine !== at.machine || state !== failing) return;
    throw new HoldfastError('InternalError', `${state} was made to fail.`);
  }

  async #child(
    machine: MachineName,
    state: string,
    child: MachineName,
    { name, input }: ChildExecution,
  ): Promise<unknown> {
    if (this.#isOver) return never;
    if (this.#isAt(machine, state) && this.#options.moment === 'at work') {
      await this.#end();
      return never;
    }
    const output = await this.run(child, name, input);
    this.#failIfMeant(machine, state);
    if (this.#isAt(machine, state)) await this.#end();
    return this.#isOver ? never : output;
  }

  async #call(
    machine: MachineName,
    handler: StateName,
    payload: unknown,
    state: string,
  ): Promise<unknown> {
    if (this.#isOver) return never;
    const { moment, depsOf } = this.#options;
    this.#failIfMeant(machine, state);
    const isHere = this.#isAt(machine, state);
    const isAtWork = isHere && moment === 'at work';
    const deps = isAtWork ? stopping(depsOf(machine), () => this.#end()) : depsOf(machine);
    const work = handlers[handler](deps)(payload);
    const settled = work.catch(() => undefined).finally(() => this.#working.delete(settled));
    this.#working.set(settled, handler);
    if (isHere) {
      await settled;
      await this.#end();
    }
    const result = await work.catch((error: unknown) =>
      this.#isOver ? never : Promise.reject(error),
    );
    return this.#isOver ? never : result;
  }

  async #end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { status = 'ABORTED', depsOf, onEnd } = this.#options;
    try {
      await onEnd?.(this.#working);
      const all = this.#executions.map(({ machine, name }) =>
        cleanUp(depsOf(machine), ended(machine, name, status)),
      );
      this.#resolve(await Promise.all(all));
    } catch (error) {
      this.#reject(error);
    }
  }
}

/** The same ports, but before the first connection and the first write everything is ended. */
function stopping(deps: Deps, end: () => Promise<void>): Deps {
  const { workspace, vault } = deps;
  return {
    ...deps,
    connectionOf: async (name) => {
      await end();
      return deps.connectionOf(name);
    },
    workspace: new Proxy(workspace, endingAt(['put'], end)),
    vault: new Proxy(vault, endingAt(['put', 'openWriter', 'setTags', 'setRetainUntil'], end)),
  };
}

const endingAt = <T extends object>(
  names: string[],
  end: () => Promise<void>,
): ProxyHandler<T> => ({
  get(target, name) {
    const value = Reflect.get(target, name) as unknown;
    if (typeof value !== 'function') return value;
    const own = value.bind(target) as (...args: unknown[]) => unknown;
    if (!names.includes(String(name))) return own;
    return async (...args: unknown[]) => {
      await end();
      return own(...args);
    };
  },
});

/** CleanUp could do all of it, and knows what it was told of. */
export function expectCleaned(all: readonly CleanedUp[]): void {
  for (const { machine, runId, found, troubles: told } of all) {
    // That is no trouble, and what people should know.
    const troubles = told.filter((one) => !one.includes('is complete, verified and listed'));
    expect.soft({ machine, runId, troubles }).toEqual({ machine, runId, troubles: [] });
    expect.soft(found, runId).not.toBe('unknown');
  }
}
