/**
 * Lends the authenticated socket of a session to code that speaks the wire protocol itself (COPY reader, pg_dump).
 *
 * Invariant: the bytes go to one reader only: to the borrower from `takeSocket` to `release`, to node-postgres before
 * and after. A borrower releases only after the ReadyForQuery that ends its last exchange, or drops the session.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { HoldfastError } from '../contract/errors.ts';
import { internalsOf } from './pg-internals.ts';
import type { Session } from './session.ts';

export interface RawSocket {
  readonly socket: Socket | TLSSocket;
  /** Everything that the server sends from now on, in order; the socket is paused until this is called. */
  onData(handler: (chunk: Buffer) => void): void;
  /** Called at most once, when the socket breaks or the server ends it before `release`. */
  onLost(handler: (error: HoldfastError) => void): void;
  /** @returns false when the socket's buffer is full, as `socket.write` does */
  write(bytes: Uint8Array): boolean;
  /** Gives the socket back to node-postgres. Safe to call more than once. */
  release(): void;
}

const taken = new WeakSet<Session>();

/** Between `takeSocket` and `release`. */
export const isLent = (session: Session): boolean => taken.has(session);

/** @throws InternalError when a statement is running, or the socket is taken already; ConnectionLostError when it is dead */
export function takeSocket(session: Session): RawSocket {
  const { connection, readyForQuery } = internalsOf(session.client);
  const socket = connection.stream;
  if (socket.destroyed) {
    throw new HoldfastError(
      'ConnectionLostError',
      'The connection to the server is already closed.',
    );
  }
  if (taken.has(session) || readyForQuery !== true) {
    throw new HoldfastError(
      'InternalError',
      'The socket of a session was asked for while it was in use.',
    );
  }
  taken.add(session);
  const ownReaders = socket.listeners('data') as ((chunk: Buffer) => void)[];
  for (const reader of ownReaders) socket.off('data', reader);
  socket.pause();

  let onData: ((chunk: Buffer) => void) | undefined;
  let onLost: ((error: HoldfastError) => void) | undefined;
  let failure: Error | undefined;
  const noteError = (error: Error): void => {
    failure = error;
  };
  const tellLost = (): void => {
    const reason = failure?.message ?? 'the server closed it';
    const tell = onLost;
    onLost = undefined;
    tell?.(
      new HoldfastError('ConnectionLostError', `The connection to the server broke: ${reason}.`, {
        cause: failure,
      }),
    );
  };
  socket.once('error', noteError);
  socket.once('close', tellLost);

  return {
    socket,
    onData(handler) {
      if (onData !== undefined) socket.off('data', onData);
      onData = handler;
      socket.on('data', handler);
      socket.resume();
    },
    onLost(handler) {
      onLost = handler;
      if (socket.closed) tellLost();
    },
    write: (bytes) => socket.write(bytes),
    release() {
      if (!taken.delete(session)) return;
      if (onData !== undefined) socket.off('data', onData);
      socket.off('error', noteError);
      socket.off('close', tellLost);
      for (const reader of ownReaders) socket.on('data', reader);
      socket.resume();
    },
  };
}
