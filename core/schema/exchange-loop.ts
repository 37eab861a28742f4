/**
 * The main thread's half of the dump: takes each exchange of the pg_dump thread to the server and the answer back.
 *
 * Invariant: every exchange is answered, also when the socket is gone: then with what had come (a FATAL message, or
 * nothing, which libpq takes for the end of the connection), so that the thread never waits for ever.
 */
import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../contract/errors.ts';
import type { RawSocket } from '../postgres/raw-socket.ts';
import { hasOnlyUtf8 } from './answer-encoding.ts';
import { AnswerCollector } from './backend-frames.ts';
import type { Exchange } from './pg-dump-channel.ts';

export interface ExchangeLoop {
  /** Never resolves; rejects when an answer must not be used. */
  readonly failed: Promise<never>;
  /** What the dump died of when it was the socket. */
  lost(): HoldfastError | undefined;
}

export function answerExchanges(
  raw: RawSocket,
  port: MessagePort,
  turn: Int32Array<SharedArrayBuffer>,
  options: { readonly mustBeUtf8: boolean },
): ExchangeLoop {
  let collector: AnswerCollector | undefined;
  let lost: HoldfastError | undefined;
  let fail: (error: HoldfastError) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);

  const answer = (bytes: Uint8Array) => {
    collector = undefined;
    port.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
    Atomics.add(turn, 0, 1);
    Atomics.notify(turn, 0);
  };
  const endOfConnection = () => answer(collector?.bytes() ?? new Uint8Array());

  raw.onData((chunk) => {
    if (collector?.push(chunk) !== true) return;
    const bytes = collector.bytes();
    if (options.mustBeUtf8 && !hasOnlyUtf8(bytes)) {
      fail(
        new HoldfastError(
          'EncodingError',
          'The encoding of the database is SQL_ASCII, and its catalogs hold names or texts that are not UTF-8.',
        ),
      );
      return;
    }
    answer(bytes);
  });
  raw.onLost((error) => {
    lost = error;
    if (collector !== undefined) endOfConnection();
  });
  port.on('message', ({ bytes, answers }: Exchange) => {
    collector = new AnswerCollector(answers);
    if (lost !== undefined) endOfConnection();
    else raw.write(bytes);
  });

  return { failed, lost: () => lost };
}
