import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CopyReader } from '../../core/copy/copy-reader.ts';
import { createRowHasher } from '../../core/fingerprint/row-hash.ts';
import type { Session } from '../../core/postgres/session.ts';
import { referenceFingerprint } from '../fingerprint/reference.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { copyAll, workerSession } from './support.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('copy_reader');
  session = await workerSession(database.settings);
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const running = async (name: string) =>
  (
    await database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'`,
      [name],
    )
  )[0]?.n;

describe('a COPY', () => {
  test('gives the rows as the server writes them, and their count and fingerprint', async () => {
    const values = `(1, E'tab\\there', NULL), (2, E'new\\nline', E'\\\\N'), (3, E'\\\\.', '😀'), (4, '', E'\\r')`;
    const copied = await copyAll(session, `COPY (VALUES ${values}) TO STDOUT`);
    const rows = ['1\ttab\\there\t\\N', '2\tnew\\nline\t\\\\N', '3\t\\\\.\t😀', '4\t\t\\r'];
    expect(copied.bytes.toString()).toBe(rows.map((row) => `${row}\n`).join(''));
    expect(copied.rows).toBe(4);
    expect(copied.rawBytes).toBe(copied.bytes.length);
    expect(copied.fingerprint).toBe(referenceFingerprint(rows.map((row) => Buffer.from(row))));
  });

  test('without rows has no blocks, and the session can be used again', async () => {
    const empty = await copyAll(session, 'COPY (SELECT 1 WHERE false) TO STDOUT');
    expect(empty).toMatchObject({ rows: 0, rawBytes: 0, blocks: [], fingerprint: '0'.repeat(32) });
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test.each([
    ['narrow rows', 'SELECT n FROM generate_series(1, 1000000) n', 'text'],
    [
      'rows of 1 to 5000 bytes',
      `SELECT n, repeat('ab', n % 2500) FROM generate_series(1, 5000) n`,
      'text',
    ],
    [
      'rows larger than blocks',
      `SELECT repeat(md5(n::text), 100000) FROM generate_series(1, 5) n`,
      'text',
    ],
    [
      'binary rows',
      `SELECT n, NULL::int, repeat('x', n % 300), 'y'::bytea FROM generate_series(1, 30000) n`,
      'binary',
    ],
    [
      'binary rows larger than blocks',
      `SELECT repeat(md5(n::text), 100000) FROM generate_series(1, 3) n`,
      'binary',
    ],
  ] as const)(
    'of %s comes in full blocks with the fingerprint of its bytes',
    async (_, query, format) => {
      const copied = await copyAll(session, `COPY (${query}) TO STDOUT (FORMAT ${format})`, format);
      expect(copied.blocks.slice(0, -1).every((bytes) => bytes === 1 << 20)).toBe(true);
      expect(copied.blocks.length).toBe(Math.ceil(copied.rawBytes / (1 << 20)));
      const hasher = createRowHasher(format);
      hasher.update(copied.bytes);
      expect(hasher.finish()).toEqual({ rows: copied.rows, fingerprint: copied.fingerprint });
    },
  );

  test('of a field of 60 MB comes whole', async () => {
    const copied = await copyAll(session, `COPY (SELECT repeat('0123456789', 6000000)) TO STDOUT`);
    expect(copied.bytes.length).toBe(60_000_001);
    expect(copied.rows).toBe(1);
  });

  test('waits for a slow reader and loses nothing', async () => {
    const name = 'slow-reader';
    const slow = await workerSession(database.settings, name);
    const copy = new CopyReader().copy(slow, {
      sql: `COPY (SELECT repeat('x', 1000) FROM generate_series(1, 60000)) TO STDOUT`,
      format: 'text',
      what: 'Reading',
    });
    let bytes = 0;
    for await (const block of copy) {
      if (bytes < 4 << 20) await sleep(50);
      // Three blocks, and never more than what the reader has taken.
      expect(copy.rawBytes - bytes).toBeLessThanOrEqual(3 << 20);
      bytes += block.length;
    }
    expect(bytes).toBe(60_000 * 1_001);
    expect(copy.result.rows).toBe(60_000);
    await slow.close();
  });

  test('after another with the same reader starts from nothing', async () => {
    const reader = new CopyReader();
    const sql = 'COPY (SELECT generate_series(1, 10)) TO STDOUT';
    const first = await copyAll(session, sql, 'text', reader);
    await expect(
      copyAll(
        session,
        `COPY (SELECT 1 / (5 - n) FROM generate_series(1, 9) n) TO STDOUT`,
        'text',
        reader,
      ),
    ).rejects.toMatchObject({ name: 'CopyFailedError' });
    expect(await copyAll(session, sql, 'text', reader)).toEqual(first);
  });
});

describe('a COPY that fails', () => {
  test('says what the server said, and leaves the session usable', async () => {
    await expect(
      copyAll(session, `COPY (SELECT 1 / (90000 - n) FROM generate_series(1, 100000) n) TO STDOUT`),
    ).rejects.toMatchObject({
      name: 'CopyFailedError',
      message: expect.stringContaining('division by zero'),
      evidence: { sqlstate: '22012' },
    });
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('on a row beyond 1 GB is RowTooLargeForTextError', async () => {
    const sql = `COPY (SELECT convert_to(repeat('x', 600000000), 'UTF8')) TO STDOUT`;
    await expect(copyAll(session, sql)).rejects.toMatchObject({ name: 'RowTooLargeForTextError' });
  });

  test('because its process was ended is ConnectionLostError', async () => {
    const name = 'ends-midway';
    const victim = await workerSession(database.settings, name);
    const copying = expect(
      copyAll(
        victim,
        'COPY (SELECT n, pg_sleep(0.001) FROM generate_series(1, 100000) n) TO STDOUT',
      ),
    ).rejects.toMatchObject({ name: 'ConnectionLostError' });
    await expect.poll(() => running(name), { timeout: 30_000 }).toBe(1);
    await database.query('SELECT pg_terminate_backend($1)', [victim.backendPid]);
    await copying;
  });

  test('because the socket broke midway is ConnectionLostError, whatever came before', async () => {
    const victim = await workerSession(database.settings);
    const copy = new CopyReader().copy(victim, {
      sql: 'COPY (SELECT n FROM generate_series(1, 10000000) n) TO STDOUT',
      format: 'text',
      what: 'Reading',
    });
    const reading = (async () => {
      for await (const _ of copy) victim.destroy();
    })();
    await expect(reading).rejects.toMatchObject({ name: 'ConnectionLostError' });
    expect(() => copy.result).toThrow();
  });
});

test('a reader that stops early ends the statement on the server at once', async () => {
  const name = 'stops-early';
  const stopped = await workerSession(database.settings, name);
  // A statement that sends nothing more would not notice the closed socket.
  const sql = `COPY (SELECT repeat('x', 2000000) UNION ALL SELECT pg_sleep(60)::text) TO STDOUT`;
  const copy = new CopyReader().copy(stopped, { sql, format: 'text', what: 'Reading' });
  for await (const _ of copy) break;
  await expect.poll(() => running(name), { timeout: 30_000 }).toBe(0);
});
