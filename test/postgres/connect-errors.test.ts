import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorCatalogue } from '../../core/contract/errors.ts';
import { sqlstateOf } from '../../core/postgres/connect-errors.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
const suffix = Math.random().toString(36).slice(2, 8);
const reader = `reader_${suffix}`;
const full = `full_${suffix}`;

beforeAll(async () => {
  database = await testDatabase('errors');
  await database.query(`CREATE TABLE plain (id int); CREATE TABLE guarded (id int);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE ROLE ${reader} LOGIN PASSWORD 'reader-secret'; GRANT SELECT ON guarded TO ${reader};
    CREATE ROLE ${full} LOGIN PASSWORD 'full-secret' CONNECTION LIMIT 0`);
  session = await openSession(database.settings, {
    applicationName: 'holdfast/t',
    purpose: 'control',
  });
});
afterAll(async () => {
  await session?.close();
  await database?.query(`DROP OWNED BY ${reader}; DROP ROLE ${reader}, ${full}`);
  await database?.drop();
});

const as = (change: Partial<ConnectionSettings>): ConnectionSettings => ({
  ...database.settings,
  ...change,
});
const failureOf = async (settings: ConnectionSettings): Promise<unknown> =>
  openSession(settings, { applicationName: 'holdfast/t', purpose: 'control' }).then(
    (opened) => opened.close().then(() => 'connected'),
    (error: unknown) => error,
  );

test('what to do is said where the settings come from, when they say it', async () => {
  const hints = { AuthenticationFailedError: 'Look into the safe.' };
  const wrong = { password: async () => 'bad-secret', hints };
  expect(await failureOf(as(wrong))).toMatchObject({
    ...{ name: 'AuthenticationFailedError', hint: 'Look into the safe.' },
    evidence: { sqlstate: '28P01' },
  });
  expect(await failureOf(as({ ...wrong, port: 1 }))).toMatchObject({
    hint: errorCatalogue.SourceUnreachableError.hint,
  });
});

test.each<[string, string, () => Partial<ConnectionSettings>, RegExp]>([
  [
    'a wrong password',
    'AuthenticationFailedError',
    () => ({ password: async () => 'bad-secret' }),
    /password/,
  ],
  [
    'no password',
    'AuthenticationFailedError',
    () => ({ password: async () => undefined }),
    /none was given/,
  ],
  ['an unknown user', 'AuthenticationFailedError', () => ({ user: 'nobody_here' }), /nobody_here@/],
  [
    'an unknown database',
    'DatabaseNotFoundError',
    () => ({ database: 'no_such_db' }),
    /no_such_db/,
  ],
  ['a port where nobody listens', 'SourceUnreachableError', () => ({ port: 1 }), /ECONNREFUSED/],
  [
    'a host without an address',
    'SourceUnreachableError',
    () => ({ host: 'nowhere.invalid' }),
    /nowhere\.invalid/,
  ],
  [
    'a socket folder without a socket',
    'SourceUnreachableError',
    () => ({ host: '/nonexistent' }),
    /ENOENT/,
  ],
  [
    'a server without TLS',
    'TlsError',
    () => ({ sslMode: 'require' as const }),
    /does not support SSL/,
  ],
  [
    'a role with no connection left',
    'TooManyConnectionsError',
    () => ({ user: full, password: async () => 'full-secret' }),
    /too many connections/,
  ],
])('%s is %s', async (_what, name, change, message) => {
  const error = await failureOf(as(change()));
  expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
  expect(`${(error as Error).message}`).not.toMatch(/secret/);
});

test('a server that accepts and never answers is unreachable after the time given', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const error = await failureOf(as({ port, connectTimeoutMs: 200 }));
  silent.close();
  expect(error).toMatchObject({
    name: 'SourceUnreachableError',
    message: expect.stringContaining('200 ms'),
  });
});

test('a server that closes at once is unreachable and not a good answer', async () => {
  const rude = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => rude.once('listening', resolve));
  const { port } = rude.address() as { port: number };
  const error = await failureOf(as({ port }));
  rude.close();
  expect(error).toMatchObject({ name: 'SourceUnreachableError' });
});

test('row security is told apart from a missing right', async () => {
  const settings = as({ user: reader, password: async () => 'reader-secret' });
  await using narrow = await openSession(settings, {
    applicationName: 'holdfast/t',
    purpose: 'worker',
  });
  await expect(narrow.query('SELECT * FROM public.guarded')).rejects.toMatchObject({
    name: 'RowSecurityError',
    message: expect.stringContaining('guarded'),
  });
  await expect(narrow.query('SELECT * FROM public.plain')).rejects.toMatchObject({
    name: 'PermissionDeniedError',
    message: expect.stringContaining('plain'),
  });
});

test('a role without the right to connect is told which one it lacks', async () => {
  await database.query(`REVOKE CONNECT ON DATABASE "${database.name}" FROM PUBLIC`);
  try {
    expect(
      await failureOf(as({ user: reader, password: async () => 'reader-secret' })),
    ).toMatchObject({
      name: 'PermissionDeniedError',
      hint: expect.stringContaining('GRANT CONNECT'),
    });
  } finally {
    await database.query(`GRANT CONNECT ON DATABASE "${database.name}" TO PUBLIC`);
  }
});

test('a lock that is not granted at once is LockNotAvailableError', async () => {
  await database.query('BEGIN; LOCK TABLE plain IN ACCESS EXCLUSIVE MODE');
  try {
    await session.query('BEGIN');
    await expect(
      session.query('LOCK TABLE public.plain IN ACCESS SHARE MODE NOWAIT'),
    ).rejects.toMatchObject({ name: 'LockNotAvailableError', retryable: true });
  } finally {
    await database.query('ROLLBACK');
    await session.query('ROLLBACK');
  }
});

test('what the catalogue does not know keeps its SQLSTATE', async () => {
  const error = await session
    .query('SELECT * FROM public.not_there')
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'InternalError', evidence: { sqlstate: '42P01' } });
  expect(sqlstateOf(error)).toBe('42P01');
  expect(sqlstateOf(new Error('no server in it'))).toBeUndefined();
});

test('a session goes on after an error of a statement', async () => {
  await expect(session.query('SELECT 1/0')).rejects.toMatchObject({
    evidence: { sqlstate: '22012' },
  });
  expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
