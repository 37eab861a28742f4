import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { writeCopy } from '../../core/copy/copy-writer.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { copyAll } from './support.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('copy_writer');
});
beforeEach(async () => {
  await session?.close();
  session = await openSession(database.settings, {
    applicationName: 'test-writer',
    purpose: 'writer',
  });
  await database.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v text)');
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const sql = "COPY t FROM STDIN WITH (ENCODING 'UTF8')";
const what = 'Loading t';
const write = (rows: Readable, more: Partial<Parameters<typeof writeCopy>[1]> = {}) =>
  writeCopy(session, { sql: sql.replace('t ', 'public.t '), format: 'text', what, ...more }, rows);
const source = (...chunks: string[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as HoldfastError,
  );
const count = async () =>
  Number((await database.query<{ n: string }>('SELECT count(*) AS n FROM t'))[0]?.n);
const isUsable = async () => expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);

describe('rows', () => {
  test.each([
    ['text', 'SELECT n, repeat(md5(n::text), n % 90) FROM generate_series(1, 30000) n'],
    ['binary', 'SELECT n, repeat(md5(n::text), n % 90) FROM generate_series(1, 30000) n'],
    ['text', 'SELECT 1, repeat(md5(n::text), 500000) FROM generate_series(1, 3) n'],
    ['text', 'SELECT 1, NULL WHERE false'],
  ] as const)('in %s of %s arrive as they were read', async (format, query) => {
    const reader = await openSession(database.settings, {
      applicationName: 'test',
      purpose: 'worker',
    });
    const copied = await copyAll(reader, `COPY (${query}) TO STDOUT (FORMAT ${format})`, format);
    await reader.close();
    // Pieces of odd sizes: neither rows nor frames.
    const pieces: Buffer[] = [];
    for (let at = 0, size = 1; at < copied.bytes.length; at += size, size = (size * 7) % 1_500_001)
      pieces.push(copied.bytes.subarray(at, at + size));
    let sent = 0;
    const options = format === 'binary' ? 'FORMAT binary' : "ENCODING 'UTF8'";
    const written = await writeCopy(
      session,
      { sql: `COPY public.t FROM STDIN WITH (${options})`, format, what },
      Readable.from(pieces),
      (bytes) => {
        sent += bytes;
      },
    );
    const { rows, fingerprint, rawBytes } = copied;
    expect(written).toEqual({ rows, fingerprint, rawBytes });
    expect(sent).toBe(rawBytes);
    const [same] = await database.query<{ n: string }>(
      `SELECT count(*) AS n FROM (TABLE t EXCEPT ALL ${query}) missing`,
    );
    expect(same?.n).toBe('0');
    expect(await count()).toBe(rows);
    await isUsable();
  });

  test('are not asked for faster than the server takes them', async () => {
    await database.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    let made = 0;
    const rows = Readable.from(
      (function* () {
        for (; made < 64; made++) yield Buffer.from(`1\t${'x'.repeat(1 << 20)}\n`);
      })(),
      { objectMode: true, highWaterMark: 1 },
    );
    const writing = write(rows);
    await sleep(300);
    expect(made).toBeLessThan(10);
    await database.query('COMMIT');
    expect(await writing).toMatchObject({ rows: 64 });
  });
});

describe('an error', () => {
  test('of the source ends the statement, and the session goes on', async () => {
    const damage = new HoldfastError('DecryptionError', 'The test damaged it.');
    const rows = Readable.from(
      (function* () {
        yield Buffer.from('1\ta\n');
        throw damage;
      })(),
    );
    expect(await failureOf(write(rows))).toBe(damage);
    await isUsable();
    expect(await count()).toBe(0);
  });

  test('of the source in the middle of a row is not taken for its end', async () => {
    const error = await failureOf(write(source('1\ta\n2\tb')));
    expect(error.name).toBe('CopyIncompleteError');
    await isUsable();
    expect(await count()).toBe(0);
  });

  test('of the statement itself is told, and the source is closed', async () => {
    const rows = source('1\ta\n');
    const error = await failureOf(write(rows, { sql: 'COPY public.missing FROM STDIN' }));
    expect(error.name).toBe('CopyFailedError');
    expect(error.message).toContain('Loading t: relation "public.missing" does not exist');
    expect(rows.destroyed).toBe(true);
    await isUsable();
  });

  test('midway ends a source that is still waiting', async () => {
    const rows = new Readable({ read: () => {} });
    rows.push(Buffer.from(`${'bad\n'.repeat(50_000)}`));
    const error = await failureOf(write(rows));
    expect(error.name).toBe('CopyFailedError');
    expect(error.evidence).toMatchObject({ sqlstate: '22P02', line: 1, column: 'id' });
    expect(rows.destroyed).toBe(true);
    await isUsable();
  });

  test('tells constraint, line and column, and no value of a row', async () => {
    await database.query(`ALTER TABLE t ADD CONSTRAINT t_unique UNIQUE (id)`);
    const conflict = await failureOf(write(source('77123\tsecret1\n77123\tsecret2\n')));
    expect(conflict.name).toBe('RowConflictError');
    expect(conflict.evidence).toMatchObject({ constraint: 't_unique', line: 2, table: 't' });
    const unreadable = await failureOf(write(source('1\ta\n7"7x\tsecret\n')));
    expect(unreadable.evidence).toMatchObject({ line: 2, column: 'id' });
    expect(unreadable.message).toBe(
      'Loading t: invalid input syntax for type integer: … (line 2, column id)',
    );
    await database.query(
      `ALTER TABLE t ADD CONSTRAINT t_check CHECK (v NOT LIKE 'secret%') NOT VALID`,
    );
    const refused = await failureOf(write(source('5\tsecret\n')));
    expect(refused.evidence).toMatchObject({ constraint: 't_check', sqlstate: '23514' });
    for (const error of [conflict, unreadable, refused]) {
      const all = JSON.stringify([error.message, error.evidence, error.cause, String(error.cause)]);
      expect(all).not.toMatch(/secret|77123|7x/);
    }
  });

  test('an end mark among the rows is not taken for their end', async () => {
    const error = await failureOf(write(source('1\ta\n\\.\n2\tb\n')));
    expect(['CopyIncompleteError', 'CopyFailedError']).toContain(error.name);
  });
});

test('a connection that is lost midway is told, also when the source is waiting', async () => {
  const rows = new Readable({ read: () => {} });
  rows.push(Buffer.from('1\ta\n'));
  const writing = failureOf(write(rows));
  await sleep(200);
  await database.query('SELECT pg_terminate_backend($1)', [session.backendPid]);
  expect((await writing).name).toBe('ConnectionLostError');
  expect(rows.destroyed).toBe(true);
  expect(await count()).toBe(0);
});
