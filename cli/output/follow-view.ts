/**
 * What is told of an execution that is followed, on stderr: a line for each state that has ended, and on a terminal a live
 * one of what runs now; elsewhere that is told when it has changed, and not too often.
 */
import { maskSecrets } from '../../core/mask-secrets.ts';
import { formatDuration, printable } from './format.ts';

export interface FollowView {
  readonly line: (text: string) => void;
  /** @param forMs since the execution began */
  readonly now: (running: readonly string[], forMs: number) => void;
  /** Takes the live line away. Safe to call again. */
  end(): void;
}

/** A log that is read afterwards: counts of units change with every look. */
const plainEveryMs = 15_000;

export function openFollowView(
  output: NodeJS.WriteStream = process.stderr,
  clock: () => number = () => performance.now(),
): FollowView {
  const isLive = output.isTTY === true && process.env['TERM'] !== 'dumb';
  let toldAt = clock();
  const clear = () => (isLive ? output.write('\r\u001b[K') : true);
  const write = (text: string) => {
    clear();
    output.write(`${maskSecrets(printable(text))}\n`);
    toldAt = clock();
  };
  return {
    line: write,
    now(running, forMs) {
      if (running.length === 0) return;
      const text = `  … ${running.join(', ')}  (${formatDuration(forMs)} in all)`;
      if (isLive) output.write(`\r\u001b[K${cut(printable(text), output.columns)}`);
      else if (clock() - toldAt >= plainEveryMs) write(text);
    },
    end: () => void clear(),
  };
}

/** A line that wraps could not be taken back with one carriage return. */
const cut = (text: string, columns: number | undefined): string =>
  text.slice(0, (columns || 80) - 1);
