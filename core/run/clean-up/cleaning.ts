/** What the ways of cleaning up share. */
import type { Deps } from '../../contract/deps.ts';
import type { Attempt } from '../attempt.ts';
import type { Failure } from '../failure.ts';

export interface Cleaning {
  readonly deps: Deps;
  /** How the execution ended: becomes the run's error when it has none. */
  readonly failure: Failure;
  readonly attempt: Attempt;
  /** Notes what was done, in words. */
  readonly done: (what: string) => void;
}

/** `ended`: there was nothing to do; `unknown`: nothing is written down of such a run. */
export type Found = 'unended' | 'ended' | 'unknown';
