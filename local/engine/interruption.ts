/** What an AbortSignal becomes on its way into a run: the run's own error, in its abort mark. */
import { HoldfastError } from '../../core/contract/errors.ts';
import { type Failure, failureOf } from '../../core/run/failure.ts';

/** A HoldfastError as the signal's reason becomes the run's error. */
export function interruptionOf(signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  return failureOf(
    reason instanceof HoldfastError
      ? reason
      : new HoldfastError('RunAbortedError', 'The run was interrupted.'),
  );
}

/** Calls `mark` when the signal is given, also when that was before; what it throws is the run's end to tell. */
export function onAbort(signal: AbortSignal | undefined, mark: () => Promise<void>): Disposable {
  const listener = () => void mark().catch(() => undefined);
  if (signal?.aborted === true) listener();
  else signal?.addEventListener('abort', listener, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', listener) };
}
