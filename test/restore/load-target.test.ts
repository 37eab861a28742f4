import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { isHashedUnportably } from '../../core/restore/load/load-target.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('load_target');
  await database.query(`CREATE TYPE mood AS ENUM ('a', 'b');
    CREATE TYPE pair AS (m mood, n int);
    CREATE DOMAIN mood_domain AS mood;
    CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`);
  const applicationName = 'test-load-target';
  session = await openSession(database.settings, { applicationName, purpose: 'writer' });
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

let made = 0;
test.each([
  ['int', 'k int', 'k', false],
  ['text under the default collation', 'k text', 'k', false],
  ['uuid and timestamptz', 'k uuid, t timestamptz', 'k, t', false],
  ['oid', 'k oid', 'k', false],
  ['an enum', 'k mood', 'k', true],
  ['a domain over an enum', 'k mood_domain', 'k', true],
  ['an enum beside an int', 'k int, m mood', 'k, m', true],
  ['an array of enums', 'k mood[]', 'k', true],
  ['a row with an enum', 'k pair', 'k', true],
  ['regclass', 'k regclass', 'k', true],
  ['text under a nondeterministic collation', 'k text COLLATE loose', 'k', true],
])(
  'a hash partition by %s is loaded through its root: see the last column',
  async (_, columns, key, isUnportable) => {
    const name = `t${made++}`;
    await database.query(`CREATE TABLE ${name} (${columns}) PARTITION BY HASH (${key});
    CREATE TABLE ${name}_0 PARTITION OF ${name} FOR VALUES WITH (modulus 1, remainder 0)`);
    expect(await isHashedUnportably(session, { schema: 'public', name: `${name}_0` })).toBe(
      isUnportable,
    );
  },
);

test('what counts is any ancestor, and only hash partitions', async () => {
  await database.query(`
    CREATE TABLE deep (m mood, n int) PARTITION BY HASH (m);
    CREATE TABLE deep_0 PARTITION OF deep FOR VALUES WITH (modulus 1, remainder 0) PARTITION BY RANGE (n);
    CREATE TABLE deep_0_0 PARTITION OF deep_0 DEFAULT;
    CREATE TABLE listed (m mood) PARTITION BY LIST (m);
    CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('a')`);
  expect(await isHashedUnportably(session, { schema: 'public', name: 'deep_0_0' })).toBe(true);
  expect(await isHashedUnportably(session, { schema: 'public', name: 'listed_a' })).toBe(false);
});
