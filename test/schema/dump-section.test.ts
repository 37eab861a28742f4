import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { openSession } from '../../core/postgres/session.ts';
import { type DumpSectionRequest, dumpSection } from '../../core/schema/dump-section.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const lockWaitMs = 5_000;

async function dump(database: TestDatabase, request: Partial<DumpSectionRequest> = {}) {
  await using session = await openSession(database.settings, {
    applicationName: 'holdfast/test/schema',
    purpose: 'worker',
  });
  return await dumpSection(session, {
    section: 'pre-data',
    filters: noFilters,
    lockWaitMs,
    ...request,
  });
}

const names = (sql: string, type: string) =>
  [...sql.matchAll(new RegExp(`^-- Name: (.*); Type: ${type};`, 'gm'))].map((match) => match[1]);

describe('the schema of a database', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await testDatabase('schema');
    await database.query(String.raw`
      CREATE SCHEMA "it's ""odd""";
      CREATE TABLE "it's ""odd"""."new
line 🐘" (id int PRIMARY KEY, "Ünï" text DEFAULT E'\\N');
      CREATE TABLE plain (id int PRIMARY KEY);
      CREATE TABLE other (id int REFERENCES plain);
      CREATE MATERIALIZED VIEW slow AS SELECT id FROM plain;
      CREATE FUNCTION meta() RETURNS text LANGUAGE sql AS $$ SELECT 'a
\restrict x
\unrestrict x' $$;
      SELECT lo_create(4711);`);
  });
  afterAll(() => database.drop());

  test('is restored by plain statements and then dumps as the same text', async () => {
    const before = await dump(database);
    const after = await dump(database, { section: 'post-data' });
    await using copy = await testDatabase('schema_copy');
    await copy.query(before.sql);
    await copy.query(after.sql);
    expect((await dump(copy)).sql).toBe(before.sql);
    expect((await dump(copy, { section: 'post-data' })).sql).toBe(after.sql);
    expect(before.pgDumpVersion).toMatch(/^18\./);
    expect(after.sql).toContain('ADD CONSTRAINT other_id_fkey FOREIGN KEY');
  });

  test('loses psql commands of pg_dump and none that a function has in its body', async () => {
    const { sql } = await dump(database);
    expect(sql.match(/^\\.*$/gm)).toEqual([
      String.raw`\restrict x`,
      String.raw`\unrestrict x' $$;`,
    ]);
  });

  test('has no large objects: they are units of the dump', async () => {
    const { sql } = await dump(database);
    expect(sql).not.toMatch(/lo_create|BLOB/);
  });

  test('leaves the session usable', async () => {
    await using session = await openSession(database.settings, {
      applicationName: 'holdfast/test/schema',
      purpose: 'worker',
    });
    await dumpSection(session, { section: 'pre-data', filters: noFilters, lockWaitMs });
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('is cut down by patterns as pg_dump cuts it', async () => {
    const only = await dump(database, { filters: { ...noFilters, tables: ['p*'] } });
    expect(names(only.sql, 'TABLE')).toEqual(['plain']);
    const without = await dump(database, { filters: { ...noFilters, excludeTables: ['other'] } });
    expect(names(without.sql, 'TABLE')).toEqual(['new line 🐘', 'plain']);
    const schema = await dump(database, {
      filters: { ...noFilters, schemas: [`"it's ""odd"""`] },
    });
    expect(names(schema.sql, 'TABLE')).toEqual(['new line 🐘']);
    const excluded = await dump(database, {
      filters: { ...noFilters, excludeSchemas: ['public'] },
    });
    expect(names(excluded.sql, 'TABLE')).toEqual(['new line 🐘']);
  });

  test('refreshes a materialized view unless its rows are not wanted', async () => {
    const refresh = 'REFRESH MATERIALIZED VIEW public.slow;';
    const section = 'post-data';
    expect((await dump(database, { section })).sql).toContain(refresh);
    for (const filters of [
      { ...noFilters, sections: 'schema' as const },
      { ...noFilters, excludeTableData: ['slow'] },
    ]) {
      expect((await dump(database, { section, filters })).sql).not.toContain(refresh);
    }
  });

  test('is that of the snapshot', async () => {
    await database.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const [row] = await database.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
    await using other = await openSession(database.settings, {
      applicationName: 'holdfast/test/other',
      purpose: 'control',
    });
    await other.query('CREATE TABLE public.younger ()');
    const { sql } = await dump(database, { snapshotName: row?.name ?? '' });
    await database.query('COMMIT');
    expect(sql).not.toContain('younger');
    expect((await dump(database)).sql).toContain('younger');
    await database.query('DROP TABLE younger');
  });
});

test('2,000 tables are all there, with their constraints', { timeout: 240_000 }, async () => {
  await using database = await testDatabase('schema_many');
  const table = (
    n: number,
  ) => `CREATE TABLE t${n} (id int PRIMARY KEY, a int UNIQUE, b int DEFAULT 1,
    c timestamptz); COMMENT ON COLUMN t${n}.a IS 'number ${n}';`;
  for (let n = 0; n < 2_000; n += 200) {
    await database.query(Array.from({ length: 200 }, (_, i) => table(n + i)).join('\n'));
  }
  const before = await dump(database);
  const after = await dump(database, { section: 'post-data' });
  expect(names(before.sql, 'TABLE')).toHaveLength(2_000);
  expect(names(after.sql, 'CONSTRAINT')).toHaveLength(4_000);
});

test('one answer of many megabytes arrives whole', async () => {
  await using database = await testDatabase('schema_large');
  const body = 'x'.repeat(100_000);
  for (let n = 0; n < 300; n += 1) {
    await database.query(
      `CREATE FUNCTION f${n}() RETURNS text LANGUAGE sql AS $$ SELECT '${body}' $$`,
    );
  }
  const { sql } = await dump(database);
  expect(sql.split(body)).toHaveLength(301);
});
