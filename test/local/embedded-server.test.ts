import { existsSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { onFreePort, startEmbeddedServer } from '../../local/embedded-server.ts';
import { testDatabase } from '../support/postgres.ts';

test('the shared server is PostgreSQL 18 and gives each test a database of its own', async () => {
  await using one = await testDatabase();
  await using two = await testDatabase();
  await one.query('CREATE TABLE only_here (id int)');
  expect(one.name).not.toBe(two.name);
  const [row] = await two.query<{ version: string; found: string | null }>(
    `SELECT current_setting('server_version') AS version, to_regclass('only_here')::text AS found`,
  );
  expect(row?.version).toMatch(/^18\./);
  expect(row?.found).toBeNull();
});

test('an embedded server listens on the loopback only, and leaves no process and no files', async () => {
  const server = await startEmbeddedServer();
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((face) => face && !face.internal && face.family === 'IPv4');
  if (outside) await expect(connects(outside.address, server.port)).resolves.toBe(false);
  await expect(connects('127.0.0.1', server.port)).resolves.toBe(true);
  await server.stop();
  await expect(connects('127.0.0.1', server.port)).resolves.toBe(false);
  expect(existsSync(server.dataDirectory)).toBe(false);
  expect(() => process.kill(server.pid, 0)).toThrow();
});

test('a port that somebody else took meanwhile is told as such, and another one is tried', async () => {
  const taker = createServer();
  await new Promise<void>((resolve) => taker.listen(0, '127.0.0.1', resolve));
  const { port } = taker.address() as AddressInfo;
  const taken: Error = await startEmbeddedServer({ settings: [`port=${port}`] }).then(
    () => expect.fail('It started.'),
    (error: Error) => error,
  );
  taker.close();
  expect(taken.message).toContain('Address already in use');
  const tried: number[] = [];
  const { port: last, started } = await onFreePort(async (free) => {
    tried.push(free);
    if (tried.length < 3) throw taken;
    return 'started';
  });
  expect([tried.length, tried.at(-1), started]).toEqual([3, last, 'started']);
  await expect(onFreePort(() => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
});

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
