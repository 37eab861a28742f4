/**
 * Runs an `.asl.json` with `aws-local-stepfunctions`: the definition is the one that is deployed, untouched but for its
 * `${XFunctionArn}` and `${XStateMachineArn}` placeholders.
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
  /** @param name of the state itself: several may have the same handler */
  readonly call: (state: StateName, input: unknown, name: string) => Promise<unknown>;
  /** Executions of other state machines that this one starts and waits for, by the state that starts them. */
  readonly children?: Readonly<Record<string, (child: ChildExecution) => Promise<unknown>>>;
  /**
   * Milliseconds between tries by state, instead of those in the definition; as a list, by retrier, where -1 leaves it.
   * For tests.
   */
  readonly retryMilliseconds?: Readonly<Record<string, number | number[]>>;
  /** Milliseconds of a Wait state, instead of those in the definition. For tests. */
  readonly waitMilliseconds?: Readonly<Record<string, number>>;
}

/** What a state with the resource `states:startExecution.sync:2` is given. */
export interface ChildExecution {
  /** Its run id. */
  readonly name: string;
  readonly input: unknown;
}

/** What the engine turns into `Error` and `Cause`. */
class TaskError extends Error {
  constructor(error: unknown) {
    const failure = failureOf(error);
    super(causeOf(failure));
    this.name = failure.error;
  }
}

/** As Step Functions tells of a child execution that failed: its description, in which its error and cause are. */
class ChildError extends Error {
  override readonly name = 'States.TaskFailed';

  constructor(child: string, error: unknown) {
    const failure = failureOf(error);
    const description = { Name: child, Status: 'FAILED', Error: failure.error };
    super(JSON.stringify({ ...description, Cause: causeOf(failure) }));
  }
}

export async function loadStateMachine(file: URL): Promise<StateMachineDefinition> {
  const text = await readFile(file, 'utf8');
  const local = text
    .replaceAll(
      /\$\{(\w+)FunctionArn\}/g,
      (_, name) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    )
    .replaceAll(
      /\$\{(\w+)StateMachineArn\}/g,
      (_, name) => `arn:aws:states:us-east-1:000000000000:stateMachine:${name}`,
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
  // An execution that nobody looks at any more must end some day; here somebody's command waits for it.
  const { TimeoutSeconds: _, ...unlimited } = definition;
  // What is deployed is valid (test/statemachines); looking again takes longer than many a restore's states.
  const machine = new StateMachine(unlimited, { validationOptions: { noValidate: true } });
  const execution = machine.run(options.input as never, {
    overrides: {
      taskResourceLocalHandlers: {
        ...Object.fromEntries(
          [...taskStates(definition)].map(([name, handler]) => [
            name,
            (input: unknown) => callTask(() => options.call(handler, input, name)),
          ]),
        ),
        ...Object.fromEntries(
          Object.entries(options.children ?? {}).map(([name, child]) => [
            name,
            (input: unknown) => callChild(child, input as StartExecution),
          ]),
        ),
      },
      retryIntervalOverrides: { ...options.retryMilliseconds },
      waitTimeOverrides: { ...options.waitMilliseconds },
    },
    context: {
      Execution: { Id: options.name, Name: options.name, Input: options.input as never },
    },
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

async function callTask(call: () => Promise<unknown>): Promise<never> {
  try {
    return (await call()) as never;
  } catch (error) {
    throw new TaskError(error);
  }
}

interface StartExecution {
  readonly Name: string;
  readonly Input: unknown;
}

async function callChild(
  child: (execution: ChildExecution) => Promise<unknown>,
  { Name: name, Input: input }: StartExecution,
): Promise<never> {
  try {
    const Output = await child({ name, input });
    return { ExecutionArn: name, Name: name, Status: 'SUCCEEDED', Output } as never;
  } catch (error) {
    throw new ChildError(name, error);
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
