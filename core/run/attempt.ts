/**
 * Cleaning up after a failure: each step is tried whatever became of the others.
 *
 * Invariant: an attempt never throws; what did not work is kept among the troubles, for the evidence of the run's own error,
 * and what was done is noted for its record.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Failure } from './failure.ts';

/** Tries a step, and notes what became of it. */
export type Attempt = <T>(what: string, step: () => Promise<T>) => Promise<T | undefined>;

/** Notes what was taken away, ended or given free, in words for people. */
export type NoteCleaned = (what: string) => void;

export interface Attempts {
  readonly attempt: Attempt;
  /** What did not work, in order: `what: message`. */
  readonly troubles: string[];
  /** Of these, errors that another try may not have. */
  readonly passing: HoldfastError[];
  readonly noteCleaned: NoteCleaned;
  /** What was noted, each once: a step that is tried again notes the same. */
  readonly cleaned: string[];
}

/** What became of a run that was cleaned up after. */
export interface CleanedAfter extends Pick<Attempts, 'troubles' | 'cleaned'> {
  /** As in Attempts; absent where somebody else is to try again. */
  readonly passing?: readonly HoldfastError[];
  /** The run's own error: the first one, whatever came later. */
  readonly failure: Failure;
}

export function makeAttempts(): Attempts {
  const troubles: string[] = [];
  const passing: HoldfastError[] = [];
  const cleaned: string[] = [];
  return {
    troubles,
    passing,
    cleaned,
    noteCleaned(what) {
      if (!cleaned.includes(what)) cleaned.push(what);
    },
    async attempt(what, step) {
      try {
        return await step();
      } catch (cause) {
        if (cause instanceof HoldfastError && cause.retryable) passing.push(cause);
        troubles.push(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`);
        return undefined;
      }
    },
  };
}

/** @returns the failure with the troubles of now in its evidence, when there are any */
export const withTroubles = (failure: Failure, troubles: readonly string[]): Failure =>
  troubles.length > 0
    ? { ...failure, evidence: { ...failure.evidence, troubles: [...troubles] } }
    : failure;
