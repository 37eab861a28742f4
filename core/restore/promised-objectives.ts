/**
 * What a restore or a drill is measured against: what was asked for and, where nothing was, what the environment promises of
 * the source. On a person's machine, and of a source that the environment does not name, nothing is promised.
 */
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { RestoreInput } from '../contract/restore.ts';

type Objectives = RestoreInput['objectives'];

const hour = 3_600;

/** @throws what `deps.sourceOf` throws, but ConnectionNotFoundError */
export async function withPromises(
  { sourceOf }: Pick<Deps, 'sourceOf'>,
  source: string,
  asked: Objectives,
): Promise<Objectives> {
  try {
    const promised = (await sourceOf?.(source))?.objectives;
    if (promised === undefined) return asked;
    const { rtoHours, rpoHours } = promised;
    return { rtoSeconds: rtoHours * hour, rpoSeconds: rpoHours * hour, ...asked };
  } catch (error) {
    if (isHoldfastError(error, 'ConnectionNotFoundError')) return asked;
    throw error;
  }
}
