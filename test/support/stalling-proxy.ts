/**
 * A server whose rows come so far and no further: a connection on which it has sent so many bytes sends no more. So a copy
 * is in the middle of its rows for as long as a test wants it to be.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface StallingProxy extends AsyncDisposable {
  readonly port: number;
}

/** In front of a server on the loopback. */
export async function stallingProxy(serverPort: number, bytes: number): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    let left = bytes;
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      client.write(chunk);
      if (left < 0) upstream.pause();
    });
    upstream.on('close', () => client.end());
    client.on('close', () => upstream.destroy());
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
