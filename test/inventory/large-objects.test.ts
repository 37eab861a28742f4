import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { largeObjectRanges, readLargeObjects } from '../../core/inventory/large-objects.ts';
import { cutLargeObjects } from '../../core/plan/large-object-slices.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
const role = `lo_${randomBytes(4).toString('hex')}`;

beforeEach(async () => {
  database = await testDatabase('large');
  await database.query(`CREATE ROLE ${role}`);
  session = await openSession(database.settings, { applicationName: 'test', purpose: 'worker' });
});
afterEach(async () => {
  await session.close();
  await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await database.drop();
});

test.each([1, 2, 3, 6, 7, 100])('ranges of %i objects cover every oid once', async (each) => {
  await database.query('SELECT lo_create(0) FROM generate_series(1, 7)');
  const ranges = await largeObjectRanges(session, each);
  expect(ranges).toHaveLength(Math.ceil(7 / each));
  let next = 0;
  for (const { fromOid, toOid } of ranges) {
    expect(fromOid).toBe(next);
    next = toOid + 1;
  }
  expect(next).toBe(2 ** 32);
  const counts: number[] = [];
  for (const { fromOid, toOid } of ranges) {
    const [row] = await database.query<{ count: number }>(
      'SELECT count(*)::int FROM pg_largeobject_metadata WHERE oid BETWEEN $1::oid AND $2::oid',
      [fromOid, toOid],
    );
    counts.push(row?.count ?? 0);
  }
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(7);
  expect(Math.max(...counts)).toBeLessThanOrEqual(each);
});

test('large objects become data slices of about a chunk, and metadata', async () => {
  await database.query(`SELECT lo_from_bytea(0, (
      SELECT string_agg(sha256((i * 10000 + n)::text::bytea), '') FROM generate_series(1, 5000) n))
    FROM generate_series(1, 20) i`);
  const facts = await readLargeObjects(session);
  expect(facts).toMatchObject({ count: 20, by: 'pages' });
  const slices = await cutLargeObjects(session, facts, 1 << 20);
  const data = slices.filter((slice) => slice.of === 'large-objects' && slice.by === 'pages');
  const metadata = slices.filter(
    (slice) => slice.of === 'large-objects' && slice.by === 'metadata',
  );
  expect(metadata).toHaveLength(1);
  expect(data.length).toBeGreaterThanOrEqual(2);
  expect(data.length).toBeLessThanOrEqual(20);
  expect(await cutLargeObjects(session, { count: 0, bytes: 8192, by: 'pages' }, 1)).toEqual([]);
});

test('pages for pg_read_all_data, functions for the owner or by grant, else an error with the GRANT', async () => {
  await database.query('SELECT lo_create(4711), lo_create(4712)');
  const asRole = async () => {
    await session.query(`SET ROLE ${role}`);
    try {
      return await readLargeObjects(session);
    } finally {
      await session.query('RESET ROLE');
    }
  };
  await expect(asRole()).rejects.toMatchObject({
    name: 'PermissionDeniedError',
    message: expect.stringContaining('2 of 2 large objects'),
    hint: expect.stringContaining('GRANT pg_read_all_data TO'),
  });
  await database.query(`ALTER LARGE OBJECT 4711 OWNER TO ${role}`);
  await expect(asRole()).rejects.toThrowError(/1 of 2 large objects/);
  await database.query(`GRANT SELECT ON LARGE OBJECT 4712 TO ${role}`);
  expect(await asRole()).toMatchObject({ count: 2, by: 'functions' });
  await database.query(
    `REVOKE SELECT ON LARGE OBJECT 4712 FROM ${role}; GRANT pg_read_all_data TO ${role}`,
  );
  expect(await asRole()).toMatchObject({ by: 'pages' });
});
