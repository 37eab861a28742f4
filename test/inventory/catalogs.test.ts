import { afterEach, beforeEach, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { inventorySchema } from '../../core/contract/manifest.ts';
import { readCensus } from '../../core/inventory/census.ts';
import { readCatalogs } from '../../core/inventory/inventory.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';

let database: TestDatabase;
let session: Session;
const open = ({ settings }: TestDatabase) =>
  openSession(settings, { applicationName: 'test', purpose: 'worker' });

/** They keep a database from being dropped. */
async function dropSubscriptions(from: TestDatabase): Promise<void> {
  const rows = await from.query<{ name: string }>(
    'SELECT subname AS name FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname = $1',
    [from.name],
  );
  for (const { name } of rows) {
    await from.query(
      `ALTER SUBSCRIPTION "${name}" SET (slot_name = NONE); DROP SUBSCRIPTION "${name}"`,
    );
  }
}

beforeEach(async () => {
  database = await testDatabase('inventory');
  session = await open(database);
});
afterEach(async () => {
  await session.close();
  await dropSubscriptions(database);
  await database.drop();
});

test('the database is told with owner, settings, ACL, comment and locale', async () => {
  const name = `"${database.name}"`;
  await database.query(`COMMENT ON DATABASE ${name} IS 'my shop';
    ALTER DATABASE ${name} SET work_mem = '8MB'; ALTER DATABASE ${name} CONNECTION LIMIT 50;
    REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC; CREATE EXTENSION hstore;`);
  const inventory = await readCatalogs(session);
  expect(inventorySchema.parse({ ...inventory, sequences: [] }).database).toEqual({
    name: database.name,
    owner: 'postgres',
    encoding: 'UTF8',
    localeProvider: 'libc',
    collate: 'C',
    ctype: 'C',
    locale: null,
    icuRules: null,
    collationVersion: null,
    connectionLimit: 50,
    tablespace: 'pg_default',
    isTemplate: false,
    acl: ['=T/postgres', 'postgres=CTc/postgres'],
    comment: 'my shop',
    securityLabels: [],
    settings: ['work_mem=8MB'],
  });
  expect(inventory.extensions).toContainEqual({
    name: 'hstore',
    version: expect.any(String),
    schema: 'public',
    isTrusted: true,
  });
});

test('collations in use have the recorded and the actual version', async () => {
  await database.query(`CREATE COLLATION own (provider = icu, locale = 'de');
    CREATE TABLE t (a text COLLATE "sv-x-icu", b text COLLATE own);
    CREATE INDEX ON t (a COLLATE "fr-x-icu");`);
  const before = await readCatalogs(session);
  const names = before.collations.map(({ schema, name }) => `${schema}.${name}`);
  expect(names).toEqual([
    'pg_catalog.default',
    'pg_catalog.fr-x-icu',
    'pg_catalog.sv-x-icu',
    'public.own',
  ]);
  await database.query(`UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'own'`);
  const inventory = await readCatalogs(session);
  expect(inventory.collations.find(({ name }) => name === 'own')).toMatchObject({
    provider: 'icu',
    recordedVersion: '1.0',
    actualVersion: expect.stringMatching(/^\d/),
  });
});

test('the census of a copy made from the dumped schema is the same', async () => {
  await database.query(richSchema(18));
  const census = await readCensus(session);
  const dump = async (section: 'pre-data' | 'post-data') => {
    await using own = await open(database);
    return (await dumpSection(own, { section, filters: noFilters, lockWaitMs: 5_000 })).sql;
  };
  await using copy = await testDatabase('census');
  await copy.query(await dump('pre-data'));
  await copy.query(await dump('post-data'));
  await using other = await open(copy);
  await dropSubscriptions(copy);
  // Large objects are data.
  expect({ ...(await readCensus(other)), largeObjects: census.largeObjects }).toEqual(census);
  const empty = Object.entries(census).filter(([, count]) => count === 0);
  console.log(
    `census: kinds that the rich schema lacks: ${empty.map(([kind]) => kind).join(', ')}`,
  );
});

test('the census sees what is missing, and not what belongs to extensions or to a session', async () => {
  await database.query(`CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 1 CHECK (n > 0));
    CREATE INDEX i ON t (n); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';`);
  const before = await readCensus(session);
  expect(before).toMatchObject({
    tables: 1,
    columns: 2,
    columnDefaults: 1,
    indexes: 2,
    primaryKeys: 1,
    checkConstraints: 1,
    functions: 1,
  });
  await database.query('CREATE TEMP TABLE mine (id int)');
  expect(await readCensus(session)).toEqual(before);
  await database.query('CREATE EXTENSION hstore');
  expect(await readCensus(session)).toEqual({
    ...before,
    extensions: (before.extensions ?? 0) + 1,
  });
  await database.query('DROP INDEX i; DROP FUNCTION f()');
  expect(await readCensus(session)).toMatchObject({ indexes: 1, functions: 0 });
});
