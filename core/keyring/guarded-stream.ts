/**
 * Makes the SDK's encryption stream safe to destroy.
 *
 * It is a shell (duplexify) around two inner streams that the SDK joins by `pipeline` without a callback. That pipeline
 * throws, out of reach of everybody, when one of them is destroyed before its end ("Premature close"), and the shell's
 * `destroy` destroys both: a dump that fails would end its whole process. So inner streams are not destroyed but
 * dropped; they hold memory and nothing else. Invariant: errors reach the outside by the shell alone.
 */
import type { Duplex } from 'node:stream';

interface Shell extends Duplex {
  setReadable(inner: Duplex): void;
  setWritable(inner: Duplex): void;
}

export function guardedStream(stream: Duplex): Duplex {
  const shell = stream as Shell;
  // They are set when the key is there, which may be after the shell was destroyed.
  for (const method of ['setReadable', 'setWritable'] as const) {
    const set = shell[method].bind(shell);
    shell[method] = (inner) => {
      inner.destroy = () => inner;
      set(inner);
    };
  }
  return stream;
}
