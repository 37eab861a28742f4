import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCheck } from '../../core/doctor/check.ts';
import { clockSkew, freeSpace, lockSlots } from '../../core/doctor/checks/capacity.ts';
import { serverVersion } from '../../core/doctor/checks/server.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { look } from '../support/doctor.ts';
import { startServer } from '../support/postgres.ts';

let server: EmbeddedServer;
let session: Session;
beforeAll(async () => {
  // 10 locks × 10 connections = 100 slots.
  server = await startServer({ settings: ['max_connections=10', 'max_locks_per_transaction=10'] });
  session = await openSession(server.settings(), { applicationName: 't', purpose: 'control' });
});
afterAll(async () => {
  await session?.close();
  await server?.stop();
});

test('a lock table that is too small for two holders of all tables is told with the value to set', async () => {
  const create = (from: number, to: number) =>
    session.query(`DO $$ BEGIN FOR i IN ${from}..${to} LOOP
      EXECUTE format('CREATE TABLE public.t%s ()', i); COMMIT; END LOOP; END $$`);
  await create(1, 10);
  expect(await look(lockSlots, server.settings())).toMatchObject({ status: 'ok' });
  await create(11, 20);
  expect(await look(lockSlots, server.settings())).toMatchObject({ status: 'warning' });
  await create(21, 30);
  expect(await look(lockSlots, server.settings())).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining("30 tables takes 60 of the server's 100 locks (60 %)"),
    hint: expect.stringContaining('max_locks_per_transaction = 12'),
  });
});

test.each([
  [0, 'ok'],
  [-20_000, 'warning'],
  [600_000, 'problem'],
])('a clock of ours that is off by %i ms is %s', async (offset, status) => {
  const now = () => new Date(Date.now() + offset);
  const check = await runCheck(clockSkew, { session, now });
  expect(check).toMatchObject({ status });
  if (offset !== 0)
    // Less what the question takes: on a busy machine that is some seconds.
    expect(check.detail).toMatch(offset < 0 ? /(1\d|20)\.\d s ahead/ : /(59\d|600)\.\d s behind/);
});

test.each([
  [1e12, 'ok'],
  [4e6, 'warning'],
  [1e5, 'problem'],
])('%d bytes free for the vault are %s', async (free, status) => {
  const check = await runCheck(freeSpace, { session, freeBytes: async () => free });
  expect(check).toMatchObject({
    status,
    detail: expect.stringMatching(/The database has 0\.\d+ GiB on disk/),
  });
});

test.each([
  [180_004, 'ok'],
  [140_020, 'warning'],
  [130_020, 'problem'],
  [190_000, 'problem'],
])('a server of version %i is %s', async (serverVersionNum, status) => {
  const other: Session = Object.assign(Object.create(session), { serverVersionNum });
  expect(await runCheck(serverVersion, other)).toMatchObject({ status });
});
