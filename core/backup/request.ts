/**
 * What a backup is asked for: what the request says, and where it says nothing what the environment says of the source.
 *
 * Invariant: nothing that the request says is overridden. A safety backup is of a database as it is, whole, whatever the
 * environment leaves out of the nightly ones.
 */
import type { Deps } from '../contract/deps.ts';
import { inputError } from '../contract/input-error.ts';
import { type BackupInput, backupInputSchema } from '../contract/plan.ts';

/** @throws ConfigurationError that names what is wrong and shows a right one; what `deps.sourceOf` throws */
export async function readRequest(
  deps: Pick<Deps, 'sourceOf'>,
  given: unknown,
): Promise<BackupInput> {
  const parsed = backupInputSchema.safeParse(given);
  if (!parsed.success) throw inputError('backup', parsed.error, given);
  const request = parsed.data;
  if (deps.sourceOf === undefined || request.tier === 'safety') return request;
  const source = await deps.sourceOf(request.source);
  const said = given as { readonly filters?: unknown; readonly options?: object };
  const { jobs, onBlockedDdl, rowSecurityProven } = source;
  return {
    ...request,
    ...(said.filters === undefined ? { filters: source.filters } : {}),
    options: { ...request.options, ...without({ jobs, onBlockedDdl, rowSecurityProven }, said) },
  };
}

/** Of the environment's options those that the request does not give. */
const without = <T extends object>(options: T, { options: said = {} }: { options?: object }) =>
  Object.fromEntries(
    Object.entries(options).filter(([name]) => !Object.hasOwn(said, name)),
  ) as Partial<T>;
