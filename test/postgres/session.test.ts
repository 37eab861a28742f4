import { afterAll, beforeAll, expect, test } from 'vitest';
import { internalsOf } from '../../core/postgres/pg-internals.ts';
import { openSession } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('session');
  // A database and a role with defaults of their own, which would change every text.
  await database.query(`ALTER DATABASE "${database.name}" SET DateStyle = 'German'`);
  await database.query(`ALTER DATABASE "${database.name}" SET search_path = pg_catalog, public`);
  await database.query(`ALTER DATABASE "${database.name}" SET extra_float_digits = 0`);
  await database.query(`ALTER DATABASE "${database.name}" SET statement_timeout = '1s'`);
  await database.query(`ALTER DATABASE "${database.name}" SET enable_tidscan = off`);
});
afterAll(async () => {
  await database?.drop();
});

const open = (
  purpose: 'control' | 'worker' | 'holder' = 'worker',
  applicationName = 'holdfast/test',
) => openSession(database.settings, { applicationName, purpose });

test('the text of values does not depend on the defaults of database or role', async () => {
  await using session = await open();
  const [row] =
    await session.query(`SELECT '2026-02-01 12:00Z'::timestamptz::text AS t, 0.1::float8 + 0.2 AS f,
    '\\x41'::bytea::text AS b, '1 day 2 hours'::interval::text AS i, 12::int8 AS big, 1.50::numeric AS n`);
  expect(row).toEqual({
    t: '2026-02-01 12:00:00+00',
    f: 0.30000000000000004,
    b: '\\x41',
    i: '1 day 02:00:00',
    big: '12',
    n: '1.50',
  });
});

test.each([
  ['worker', { readOnly: 'on', check: '10s', idle: '30' }],
  ['holder', { readOnly: 'on', check: '0', idle: '0' }],
  ['control', { readOnly: 'off', check: '10s', idle: '30' }],
] as const)('a %s session has its pins', async (purpose, expected) => {
  await using session = await open(purpose);
  const [row] = await session.query<Record<string, string>>(`SELECT
    current_setting('default_transaction_read_only') AS "readOnly",
    current_setting('client_connection_check_interval') AS check,
    current_setting('search_path') AS path, current_setting('row_security') AS rls,
    current_setting('statement_timeout') AS statement, current_setting('transaction_timeout') AS transaction`);
  expect(row).toEqual({
    readOnly: expected.readOnly,
    check: expected.check,
    path: '',
    rls: 'off',
    statement: '0',
    transaction: '0',
  });
  const [tcp] = await session.query<{ idle: string }>(
    `SELECT current_setting('tcp_keepalives_idle') AS idle`,
  );
  if (expected.idle !== '0') expect(tcp?.idle).toBe(expected.idle);
});

test('a session tells its process, version and the parameters of the server', async () => {
  await using session = await open('control', 'holdfast/r1/plan');
  const [row] = await session.query<{ pid: number; name: string }>(
    `SELECT pid, application_name AS name FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
  );
  expect(row).toEqual({ pid: session.backendPid, name: 'holdfast/r1/plan' });
  expect(Math.floor(session.serverVersionNum / 10_000)).toBe(18);
  expect(session.parameters.get('server_encoding')).toBe('UTF8');
});

test('a session whose process is terminated tells it at the next call and raises no event', async () => {
  await using session = await open();
  const ended = new Promise((resolve) => session.client.once('end', resolve));
  await database.query('SELECT pg_terminate_backend($1)', [session.backendPid]);
  await ended;
  await expect(session.query('SELECT 1')).rejects.toMatchObject({
    name: 'ConnectionLostError',
    retryable: true,
    message: expect.stringContaining('terminating connection due to administrator command'),
  });
});

test('a session whose socket is cut in the middle of a statement fails that statement as lost', async () => {
  await using session = await open();
  const running = session.query('SELECT pg_sleep(30)');
  setTimeout(() => internalsOf(session.client).connection.stream.destroy(), 100);
  await expect(running).rejects.toMatchObject({ name: 'ConnectionLostError' });
});

test('close ends the process on the server, also while a statement runs, and may be called again', async () => {
  const session = await open();
  const running = session.query('SELECT pg_sleep(30)').catch((error: unknown) => error);
  await session.close();
  await session.close();
  expect(await running).toMatchObject({ name: 'ConnectionLostError' });
  const quiet = await open();
  await quiet.close();
  await expect
    .poll(() => database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [quiet.backendPid]))
    .toEqual([]);
});

test('PGOPTIONS of our own environment does not reach the server', async () => {
  process.env['PGOPTIONS'] = '-c work_mem=77MB';
  try {
    await using session = await open();
    const [row] = await session.query<{ value: string }>(
      `SELECT current_setting('work_mem') AS value`,
    );
    expect(row?.value).not.toBe('77MB');
  } finally {
    delete process.env['PGOPTIONS'];
  }
});
