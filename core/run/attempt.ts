/**
 * Cleaning up after a failure: each step is tried whatever became of the others.
 *
 * Invariant: an attempt never throws; what did not work is kept among the troubles, for the evidence of the run's own error.
 */
import type { Failure } from './failure.ts';

/** Tries a step, and notes what became of it. */
export type Attempt = <T>(what: string, step: () => Promise<T>) => Promise<T | undefined>;

export interface Attempts {
  readonly attempt: Attempt;
  /** What did not work, in order: `what: message`. */
  readonly troubles: string[];
}

export function makeAttempts(): Attempts {
  const troubles: string[] = [];
  return {
    troubles,
    async attempt(what, step) {
      try {
        return await step();
      } catch (cause) {
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
