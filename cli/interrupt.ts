/**
 * Ctrl-C (and a terminal that closes, or a polite kill): the first one ends the run in order, the second one at once.
 */
import { HoldfastError } from '../core/contract/errors.ts';
import { exitCodes } from './exit-codes.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * @param note tells the person what is going on
 * @param hint what is so after an end in order, and what to do
 */
export function onInterrupt(
  note: (text: string) => void,
  hint = 'Nothing was published and no lock is left. Run it again when it suits.',
): Interruption {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      note('Ended at once. Sessions on the server leave by themselves.');
      process.exit(exitCodes.failed);
    }
    note(`${name}: ending the run and releasing its locks … (once more: at once)`);
    controller.abort(
      new HoldfastError('RunAbortedError', `The run was interrupted (${name}).`, {
        hint,
      }),
    );
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of signals) process.removeListener(name, onSignal);
    },
  };
}
