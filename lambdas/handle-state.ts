/** What all handlers are made of: parse the input, call the core function, check the output. */
import type { ZodType } from 'zod';
import type { Deps } from '../core/contract/deps.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import {
  type InputOf,
  type OutputOf,
  payloads,
  type StateName,
} from '../core/contract/payloads.ts';

export type Handler<S extends StateName = StateName> = (input: unknown) => Promise<OutputOf<S>>;
export type MakeHandler<S extends StateName = StateName> = (deps: Deps) => Handler<S>;

/** @throws ConfigurationError for an input, InternalError for an output that is not as the contract says */
export function handleState<S extends StateName>(
  state: S,
  work: (deps: Deps, input: InputOf<S>) => Promise<OutputOf<S>>,
): MakeHandler<S> {
  // TypeScript cannot follow the index through the two schemas; the types are inferred from these very objects.
  const schemas = payloads[state] as unknown as {
    readonly input: ZodType<InputOf<S>>;
    readonly output: ZodType<OutputOf<S>>;
  };
  return (deps) => async (input) => {
    const parsed = parse(schemas.input, input, state, 'ConfigurationError');
    const output = await work(deps, parsed);
    return parse(schemas.output, output, state, 'InternalError');
  };
}

function parse<T>(
  schema: ZodType<T>,
  value: unknown,
  state: StateName,
  name: 'ConfigurationError' | 'InternalError',
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const what = name === 'InternalError' ? 'output' : 'input';
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new HoldfastError(name, `The ${what} of ${state} is not allowed: ${issues.join('; ')}.`);
}
