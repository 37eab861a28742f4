/**
 * Of which source a run was that came to its end before it had written anything down: the one that its request names, so
 * that the alarm of that source rings and its runs are found by it.
 *
 * Invariant: never throws; a name that the environment does not know is none, for no alarm listens to it.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { backupInputSchema } from '../contract/plan.ts';

const { source } = backupInputSchema.shape;
/** Of a backup, and of a restore or a drill. Whatever else is wrong with a request, it says of which source it is. */
const namesSource = z.union([
  z.looseObject({ source }).transform((request) => request.source),
  z.looseObject({ choice: z.looseObject({ source }) }).transform(({ choice }) => choice.source),
]);

/** @param request input of the execution, as it was given: it may be what the run was refused for */
export async function askedSource(
  { sourceOf }: Pick<Deps, 'sourceOf'>,
  request: unknown,
): Promise<string | undefined> {
  const name = namesSource.safeParse(request).data;
  if (name === undefined || sourceOf === undefined) return name;
  try {
    await sourceOf(name);
    return name;
  } catch (error) {
    // There it is, and not as it should be; anything else leaves open whether there is one.
    return isHoldfastError(error, 'ConfigurationError') ? name : undefined;
  }
}
