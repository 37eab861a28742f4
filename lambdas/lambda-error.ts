/**
 * An error on its way out of a function. Lambda tells three things of what was thrown: its name, its message and the
 * lines of its stack. State machines catch by the name; hint and evidence travel as a line of the stack, where
 * `failureFromCaught` (core/run/failure.ts) finds them again.
 */
import { type Failure, failureOf, traceOf } from '../core/run/failure.ts';

export class LambdaError extends Error {
  readonly failure: Failure;

  /** @param error anything that was thrown; secrets are masked here */
  constructor(error: unknown) {
    const failure = failureOf(error);
    super(failure.message);
    this.name = failure.error;
    this.stack = traceOf(failure).join('\n');
    // Not a part of what is told: the logger would write it twice.
    Object.defineProperty(this, 'failure', { enumerable: false });
    this.failure = failure;
  }
}
