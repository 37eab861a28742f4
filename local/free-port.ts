/**
 * A port of the loopback for a server that is about to start.
 *
 * Not of those that the kernel gives to outgoing connections (Linux: 32768 and above; elsewhere 49152): on a busy machine
 * one of these would take it before the server does, and a client that asks whether the server is ready could connect to
 * itself.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const first = 20_000;
const last = 32_000;

/** @throws Error when nothing is free after many tries; what else keeps a server from listening */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(first, last);
    if (await isFree(port)) return port;
  }
  throw new Error(`No port between ${first} and ${last} is free.`);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
