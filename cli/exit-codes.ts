/** Exit codes are public: 0 good, 1 failed, 2 wrong use, 3 a verdict of "damaged" or "different", or an RPO that is not met. */
import { isHoldfastError } from '../core/contract/errors.ts';

export const exitCodes = { good: 0, failed: 1, wrongUse: 2, damaged: 3 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong use is what another command line would put right, before or without looking at the server. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isHoldfastError(error, 'RestoreDifferentError')) return exitCodes.damaged;
  return isHoldfastError(error, 'UsageError', 'ConfigurationError', 'PatternMatchesNothingError')
    ? exitCodes.wrongUse
    : exitCodes.failed;
}
