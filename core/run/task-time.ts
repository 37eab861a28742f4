/**
 * How long a task may take: what the run's options say, and never longer than the function it runs in has left, whose
 * limit may be smaller.
 */
import type { Deps } from '../contract/deps.ts';

/** @returns seconds */
export const taskSecondsOf = (
  deps: Pick<Deps, 'taskSeconds'>,
  options: { readonly taskSeconds: number },
): number => Math.min(options.taskSeconds, deps.taskSeconds ?? Number.POSITIVE_INFINITY);
