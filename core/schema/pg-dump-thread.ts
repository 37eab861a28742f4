/**
 * Worker thread: PostgreSQL's own pg_dump as WebAssembly, with a stand-in for PGlite that sends what pg_dump's libpq
 * writes to the main thread and waits there for the answer. pg_dump is synchronous, so it needs a thread to wait in.
 *
 * Invariant: the text that leaves here is exactly what pg_dump wrote.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { pgDump } from '@electric-sql/pglite-tools/pg_dump';
import { FrontendFrames } from './frontend-frames.ts';
import type { Exchange, PgDumpJob, PgDumpResult } from './pg-dump-channel.ts';

const { args, turns, port, greeting } = workerData as PgDumpJob;
const turn = new Int32Array(turns);
const frames = new FrontendFrames();

const lookMs = 5;
/** Ten seconds. */
const longestLooks = 2_000;

function exchange(request: Exchange): Uint8Array {
  const seen = Atomics.load(turn, 0);
  port.postMessage(request);
  Atomics.wait(turn, 0, seen);
  // On a machine under load the turn has been seen to change before the port had its message.
  for (let look = 0; look < longestLooks; look += 1) {
    const received = receiveMessageOnPort(port);
    if (received !== undefined) return (received as { message: Uint8Array }).message;
    Atomics.wait(turn, 0, Atomics.load(turn, 0), lookMs);
  }
  throw new Error('the answer of the server did not reach the thread of pg_dump');
}

const standIn = {
  /** pgDump() asks for the search_path before and compares it after; the session is ours and ends with the dump. */
  query: async () => ({ rows: [{ search_path: '' }] }),
  exec: async () => [],
  execProtocolRawStream(bytes: Uint8Array, { onRawData }: { onRawData: (b: Uint8Array) => void }) {
    for (const step of frames.push(bytes)) {
      if (step.kind === 'encryption-request') onRawData(Buffer.from('N'));
      else if (step.kind === 'start-up') onRawData(greeting);
      else onRawData(exchange(step));
    }
  },
};

/**
 * pgDump() takes every line away that begins with `\restrict`, also one of a function's body. What pg_dump wrote is
 * only to be had where pgDump() does that, so this thread, which runs nothing else, overhears that one `replace`.
 */
let written: string | undefined;
const replace = String.prototype.replace as (this: string, ...rest: unknown[]) => string;
String.prototype.replace = function overhear(this: string, ...rest: unknown[]): string {
  if (rest[0] instanceof RegExp && rest[0].source.includes('(?:un)?restrict'))
    written = String(this);
  return replace.apply(this, rest);
} as typeof String.prototype.replace;

async function run(): Promise<PgDumpResult> {
  // pg_dump begins each of its messages with this.
  process.argv[1] = 'pg_dump';
  try {
    await pgDump({
      pg: standIn as unknown as Parameters<typeof pgDump>[0]['pg'],
      args: [...args],
    });
    if (written === undefined) return { kind: 'failed', message: 'pgDump() wrote no text.' };
    return { kind: 'text', text: written };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.postMessage(await run());
port.close();
