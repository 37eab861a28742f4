import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeSocket } from '../../core/postgres/raw-socket.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('raw');
});
afterAll(async () => {
  await database?.drop();
});
const open = (): Promise<Session> =>
  openSession(database.settings, { applicationName: 'holdfast/raw', purpose: 'worker' });

function simpleQuery(sql: string): Buffer {
  const text = Buffer.from(`${sql}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}

/** Resolves with all bytes up to ReadyForQuery (idle). */
function exchange(raw: ReturnType<typeof takeSocket>, sql: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let all = Buffer.alloc(0);
    raw.onLost(reject);
    raw.onData((chunk) => {
      all = Buffer.concat([all, chunk]);
      if (all.subarray(-6).equals(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) resolve(all);
    });
    raw.write(simpleQuery(sql));
  });
}

test('the borrower gets all bytes, and the session works again after release', async () => {
  await using session = await open();
  for (let round = 0; round < 3; round++) {
    const raw = takeSocket(session);
    const bytes = await exchange(
      raw,
      `COPY (SELECT repeat('x', 100) FROM generate_series(1, 20000)) TO STDOUT`,
    );
    raw.release();
    raw.release();
    expect(bytes.length).toBeGreaterThan(20_000 * 101);
    expect(await session.query('SELECT 42 AS answer')).toEqual([{ answer: 42 }]);
  }
});

test('a socket is not lent twice, nor while a statement runs', async () => {
  await using session = await open();
  const raw = takeSocket(session);
  expect(() => takeSocket(session)).toThrow(expect.objectContaining({ name: 'InternalError' }));
  raw.release();
  const running = session.query('SELECT pg_sleep(0.1)');
  expect(() => takeSocket(session)).toThrow(expect.objectContaining({ name: 'InternalError' }));
  await running;
  takeSocket(session).release();
});

test('a borrower is told when the server ends the session', async () => {
  await using session = await open();
  const raw = takeSocket(session);
  const exchanged = exchange(raw, 'SELECT pg_sleep(30)');
  setTimeout(
    () => void database.query('SELECT pg_terminate_backend($1)', [session.backendPid]),
    100,
  );
  await expect(exchanged).rejects.toMatchObject({ name: 'ConnectionLostError' });
});

test('the socket of a dead session is not lent', async () => {
  await using session = await open();
  session.destroy();
  expect(() => takeSocket(session)).toThrow(
    expect.objectContaining({ name: 'ConnectionLostError' }),
  );
});

test('no statement is sent on a socket that is lent, and close does not wait for its borrower', async () => {
  const session = await open();
  const raw = takeSocket(session);
  await expect(session.query('SELECT 1')).rejects.toMatchObject({ name: 'InternalError' });
  raw.onData(() => undefined);
  raw.write(
    simpleQuery(`COPY (SELECT repeat('x', 1000) FROM generate_series(1, 1000000)) TO STDOUT`),
  );
  raw.socket.pause();
  const closed = session.close();
  expect(raw.socket.destroyed).toBe(true);
  await closed;
  await expect
    .poll(() =>
      database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [session.backendPid]),
    )
    .toEqual([]);
});
