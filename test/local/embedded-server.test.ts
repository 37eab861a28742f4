import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { startEmbeddedServer } from '../../local/embedded-server.ts';
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

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
