/** What the ways of cleaning up share. */
import type { Deps } from '../../contract/deps.ts';
import type { Attempts, CleanedAfter } from '../attempt.ts';
import type { Failure } from '../failure.ts';

export interface Cleaning extends Attempts {
  readonly deps: Deps;
  /** How the execution ended: becomes the run's error when it has none. */
  readonly failure: Failure;
  /** Input of the execution, where the event that told of its end had it. */
  readonly request: unknown;
  /**
   * Step Functions itself says that there was such an execution: one that has written nothing down was ended in its first
   * state, which may be at work still. A person may have misspelled it.
   */
  readonly isCertain: boolean;
  /** An earlier call could not do it all: what it recorded is there, what it could not do is tried again. */
  readonly isAgain: boolean;
}

/** What was done there was done here, and what did not work there did not work here. */
export function passOn({ noteCleaned, troubles, passing }: Cleaning, told: CleanedAfter): void {
  for (const what of told.cleaned) noteCleaned(what);
  troubles.push(...told.troubles);
  passing.push(...(told.passing ?? []));
}

/** `ended`: there was nothing to do; `unknown`: nothing is written down of such a run. */
export type Found = 'unended' | 'ended' | 'unknown';
