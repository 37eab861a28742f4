/**
 * A TCP socket whose reads can go straight into memory that the reader names (the window of the COPY reader).
 *
 * An ordinary socket allocates 64 KB for each read, and the garbage of 16,000 reads per GB costs more than hashing it.
 * Node offers the other way (`onread`) only when a socket is made, so plain connections are made with it. Invariant: with
 * no reader attached it behaves as any other socket: each read is a 'data' event with memory of its own.
 */
import { Socket } from 'node:net';

export interface DirectReader {
  /** Where reads go; may be overwritten by the next read unless the socket is paused. */
  readonly window: Uint8Array;
  /** So many bytes are at the beginning of the window. */
  onRead(bytes: number): void;
  /** What was read before the window was in place; the reader's own. */
  onChunk(chunk: Buffer): void;
}

/** Replies outside of COPY are small. */
const ordinaryBytes = 64 * 1024;

const attach = new WeakMap<Socket, (reader: DirectReader | undefined) => void>();

export function createDirectSocket(): Socket {
  const ordinary = new Uint8Array(ordinaryBytes);
  let reader: DirectReader | undefined;
  const socket: Socket = new Socket({
    onread: {
      // Asked after each read for where the next one goes.
      buffer: () => reader?.window ?? ordinary,
      callback: (bytes, target) => {
        if (reader !== undefined && target === reader.window) {
          reader.onRead(bytes);
        } else {
          const chunk = Buffer.from(target.subarray(0, bytes));
          if (reader === undefined) socket.emit('data', chunk);
          else reader.onChunk(chunk);
        }
        return true;
      },
    },
  });
  attach.set(socket, (next) => {
    reader = next;
  });
  return socket;
}

/**
 * Attaches a reader, or none. Until the read after this one has come the old window may still be written to: memory of a
 * reader may serve another socket only when this one is closed.
 *
 * @returns false when the socket cannot do it (TLS): then there are 'data' events only
 */
export function readDirectly(socket: Socket, reader: DirectReader | undefined): boolean {
  const set = attach.get(socket);
  set?.(reader);
  return set !== undefined;
}
