/**
 * What a restore or a drill is measured against: what was asked for and, where nothing was, what the environment promises of
 * the source. On a person's machine, and of a source that the environment does not name, nothing is promised.
 */
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { RestoreInput } from '../contract/restore.ts';

type Objectives = RestoreInput['objectives'];

const hour = 3_600;

export async function withPromises(
  { sourceOf, progress }: Pick<Deps, 'sourceOf' | 'progress'>,
  source: string,
  asked: Objectives,
): Promise<Objectives> {
  if (asked.rtoSeconds !== undefined && asked.rpoSeconds !== undefined) return asked;
  try {
    const promised = (await sourceOf?.(source))?.objectives;
    if (promised === undefined) return asked;
    const { rtoHours, rpoHours } = promised;
    return { rtoSeconds: rtoHours * hour, rpoSeconds: rpoHours * hour, ...asked };
  } catch (error) {
    // No reason to restore less: on the worst day the source's own settings may be what is broken.
    if (!isHoldfastError(error, 'ConnectionNotFoundError')) {
      const message = `What is promised of ${source} cannot be read, and is not measured: ${String(error)}`;
      progress({ state: 'PlanRestore', message });
    }
    return asked;
  }
}
