/**
 * Runs an `.asl.json` with `aws-local-stepfunctions`: the definition is the one that is deployed, untouched but for its
 * `${XFunctionArn}` placeholders.
 *
 * Invariant: errors keep name, message, hint and evidence on their way through Retry, Catch and Fail, in the same form
 * in which AWS Lambda and Step Functions carry them.
 */
import { readFile } from 'node:fs/promises';
import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { payloads, type StateName } from '../../core/contract/payloads.ts';
import { causeOf, failureFromCaught, failureOf, toError } from '../../core/run/failure.ts';

type States = Record<string, Record<string, unknown>>;

export interface ExecutionOptions {
  /** Name of the execution: `$$.Execution.Name`. */
  readonly name: string;
  readonly input: unknown;
  readonly call: (state: StateName, input: unknown) => Promise<unknown>;
  /**
   * Milliseconds between tries by state, instead of those in the definition; as a list, by retrier, where -1 leaves it.
   * For tests.
   */
  readonly retryMilliseconds?: Readonly<Record<string, number | number[]>>;
}

/** What the engine turns into `Error` and `Cause`. */
class TaskError extends Error {
  constructor(error: unknown) {
    const failure = failureOf(error);
    super(causeOf(failure));
    this.name = failure.error;
  }
}

export async function loadStateMachine(file: URL): Promise<StateMachineDefinition> {
  const text = await readFile(file, 'utf8');
  const local = text.replaceAll(
    /\$\{(\w+)FunctionArn\}/g,
    (_, name) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
  );
  return JSON.parse(local) as StateMachineDefinition;
}

/**
 * @returns the output of the execution
 * @throws HoldfastError: the failure that the execution ended with
 */
export async function execute(
  definition: StateMachineDefinition,
  options: ExecutionOptions,
): Promise<unknown> {
  const machine = new StateMachine(definition);
  const execution = machine.run(options.input as never, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(
        [...taskStates(definition)].map(([name, handler]) => [
          name,
          async (input: unknown) => {
            try {
              return (await options.call(handler, input)) as never;
            } catch (error) {
              throw new TaskError(error);
            }
          },
        ]),
      ),
      retryIntervalOverrides: { ...options.retryMilliseconds },
    },
    context: { Execution: { Name: options.name } },
  });
  // Nobody reads the engine's events; unread, 10,000 units would be kept in memory as events.
  void (async () => {
    for await (const _ of execution.eventLogs);
  })();
  try {
    return await execution.result;
  } catch (error) {
    throw executionFailure(error);
  }
}

/** Task states at any depth, each with the handler that its resource names: several states may share one. */
export function taskStates(definition: object): Map<string, StateName> {
  const found = new Map<string, StateName>();
  const visit = (states: States) => {
    for (const [name, state] of Object.entries(states)) {
      const handler = String(state.Resource).split(':').at(-1) as StateName;
      if (state.Type === 'Task' && Object.hasOwn(payloads, handler)) found.set(name, handler);
      const inner = [state.ItemProcessor, ...((state.Branches as unknown[]) ?? [])];
      for (const machine of inner) {
        if (machine !== undefined) visit((machine as { States: States }).States);
      }
    }
  };
  visit((definition as { States: States }).States);
  return found;
}

function executionFailure(error: unknown): HoldfastError {
  if (!(error instanceof ExecutionError) || !(error.cause instanceof Error)) {
    return toError(failureOf(error));
  }
  const { name, message } = error.cause;
  return toError(failureFromCaught({ Error: name, Cause: message }));
}
