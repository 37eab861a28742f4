/** What all handlers are made of: parse the input, call the core function, check the output. */
import type { ZodType } from 'zod';
import type { Deps } from '../core/contract/deps.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import {
  type ExtraFunction,
  type FunctionInput,
  type FunctionName,
  type FunctionOutput,
  functionPayloads,
} from '../core/contract/functions.ts';
import { inputError, type Machine } from '../core/contract/input-error.ts';
import {
  type InputOf,
  type OutputOf,
  payloads,
  type StateName,
} from '../core/contract/payloads.ts';

export type Handler<S extends StateName = StateName> = (input: unknown) => Promise<OutputOf<S>>;
export type MakeHandler<S extends StateName = StateName> = (deps: Deps) => Handler<S>;

interface Schemas<I, O> {
  readonly input: ZodType<I>;
  readonly output: ZodType<O>;
}

/** @throws ConfigurationError for an input, InternalError for an output that is not as the contract says */
export function handleState<S extends StateName>(
  state: S,
  work: (deps: Deps, input: InputOf<S>) => Promise<OutputOf<S>>,
): MakeHandler<S> {
  // TypeScript cannot follow the index through the two schemas; the types are inferred from these very objects.
  return checked(state, payloads[state] as unknown as Schemas<InputOf<S>, OutputOf<S>>, work);
}

/** The same for a function that is no state of a machine. */
export function handleFunction<F extends ExtraFunction>(
  name: F,
  work: (deps: Deps, input: FunctionInput<F>) => Promise<FunctionOutput<F>>,
): (deps: Deps) => (input: unknown) => Promise<FunctionOutput<F>> {
  const schemas = functionPayloads[name] as unknown as Schemas<FunctionInput<F>, FunctionOutput<F>>;
  return checked(name, schemas, work);
}

const checked =
  <I, O>(name: FunctionName, schemas: Schemas<I, O>, work: (deps: Deps, input: I) => Promise<O>) =>
  (deps: Deps) =>
  async (input: unknown): Promise<O> => {
    const parsed = parse(schemas.input, input, name, 'ConfigurationError');
    const output = await work(deps, parsed);
    return parse(schemas.output, output, name, 'InternalError');
  };

/** Their input is what a person gave to start-execution; Plan's is read in core/backup/request.ts. */
const requested: { readonly [F in FunctionName]?: Machine } = {
  PlanRestore: 'restore',
  PlanDrill: 'drill',
};

const isObject = (value: unknown): value is object => value !== null && typeof value === 'object';

function parse<T>(
  schema: ZodType<T>,
  value: unknown,
  state: FunctionName,
  name: 'ConfigurationError' | 'InternalError',
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const what = name === 'InternalError' ? 'output' : 'input';
  const machine = requested[state];
  if (what === 'input' && machine !== undefined && isObject(value) && 'request' in value) {
    const { request } = value;
    const own = parsed.error.issues.map((issue) => ({ ...issue, path: issue.path.slice(1) }));
    throw inputError(machine, { issues: own }, request);
  }
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new HoldfastError(name, `The ${what} of ${state} is not allowed: ${issues.join('; ')}.`);
}
