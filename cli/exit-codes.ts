/** Exit codes are public: 0 good, 1 failed, 2 wrong use, 3 a verdict of "damaged" or "different", or an objective that is not met. */
import { isHoldfastError } from '../core/contract/errors.ts';
import type { RestoreReport } from '../core/contract/restore.ts';
import { isDamage } from '../core/report/damage.ts';

export const exitCodes = { good: 0, failed: 1, wrongUse: 2, damaged: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong use is what another command line would put right, before or without looking at the server. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isHoldfastError(error, 'RestoreDifferentError')) return exitCodes.damaged;
  return isHoldfastError(error, 'UsageError', 'ConfigurationError', 'PatternMatchesNothingError')
    ? exitCodes.wrongUse
    : exitCodes.failed;
}

/** A drill that failed for a reason of the target says nothing about the backup. */
export function exitCodeOfDrill({ state, error }: RestoreReport): ExitCode {
  if (state === 'succeeded') return exitCodes.good;
  return error !== null && isDamage(error.name) ? exitCodes.damaged : exitCodes.failed;
}
