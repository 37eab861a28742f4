/**
 * What the main thread and the pg_dump thread say to each other.
 *
 * Invariant: the thread has at most one exchange open. It posts the frontend's bytes and sleeps on `turns`; the main
 * thread posts the answer first and only then wakes it, so that a wakened thread always finds the answer waiting.
 */
import type { MessagePort } from 'node:worker_threads';

/** `workerData` of the thread. */
export interface PgDumpJob {
  readonly args: readonly string[];
  /** One int32: the number of answers given so far. */
  readonly turns: SharedArrayBuffer;
  readonly port: MessagePort;
  /** What the server would answer to a start-up packet of an authenticated client. */
  readonly greeting: Uint8Array;
}

/** Thread to main, on `port`: whole frontend messages and how many ReadyForQuery end the answer to them. */
export interface Exchange {
  readonly bytes: Uint8Array;
  readonly answers: number;
}

/** Thread to main, at its end, on the worker itself. */
export type PgDumpResult =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string };
