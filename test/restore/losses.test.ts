/** Where a plain pg_dump and psql silently lose rows or facts: each of them beside Holdfast, which does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BothWays, isNative, type Losses, major, startLosses } from './losses-harness.ts';

const withRows = `
  CREATE FUNCTION known(i int) RETURNS boolean LANGUAGE plpgsql STABLE
    AS 'BEGIN RETURN EXISTS (SELECT FROM public.z_known z WHERE z.id = i); END';
  CREATE TABLE z_known (id int PRIMARY KEY);
  INSERT INTO z_known SELECT generate_series(1, 10);
  CREATE TABLE of_later (id int CONSTRAINT is_known CHECK (known(id)));
  INSERT INTO of_later SELECT generate_series(1, 10);

  CREATE DOMAIN known_id AS int CONSTRAINT is_in_domain CHECK (known(VALUE));
  CREATE TABLE of_domain (id known_id);
  INSERT INTO of_domain SELECT generate_series(1, 10);

  CREATE FUNCTION limit_of(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 100';
  CREATE FUNCTION below(i int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN i < limit_of(i); END';
  CREATE TABLE by_path (id int CONSTRAINT is_below CHECK (below(id)));
  INSERT INTO by_path SELECT generate_series(1, 10);

  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k');
  CREATE TABLE by_enum (m mood) PARTITION BY HASH (m);
  CREATE TABLE by_enum_0 PARTITION OF by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE by_enum_1 PARTITION OF by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO by_enum SELECT unnest(enum_range(NULL::mood));`;

const withFacts = `
  CREATE TABLE a (id int PRIMARY KEY);
  CREATE TABLE b (a int CONSTRAINT to_a REFERENCES a);
  ALTER TABLE b DISABLE TRIGGER ALL;
  CREATE INDEX is_invalid ON b (a);
  UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'is_invalid'::regclass;
  CREATE MATERIALIZED VIEW filled AS SELECT 1 AS a;
  CREATE MATERIALIZED VIEW later AS SELECT 1 / (a - 1) AS b FROM filled WITH NO DATA;`;

const settingsOf = (database: string) => `
  ALTER DATABASE ${database} CONNECTION LIMIT 7;
  COMMENT ON DATABASE ${database} IS 'mine';
  REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC;
  ALTER DATABASE ${database} SET work_mem = '5MB'`;

const timeout = 120_000;
const identical = { state: 'succeeded', verdict: 'identical' };

let losses: Losses;
let rows: BothWays;
let facts: BothWays;
beforeAll(async () => {
  losses = await startLosses();
  rows = await losses.restore('with_rows', withRows);
  facts = await losses.restore('with_facts', withFacts, settingsOf);
}, timeout);
afterAll(() => losses?.[Symbol.asyncDispose]());

describe(`rows that a plain restore loses (PostgreSQL ${major}, ${isNative ? 'native pg_dump' : 'its text'})`, () => {
  it('are all there after a restore by Holdfast', () => {
    expect(rows.report).toMatchObject(identical);
    expect(rows.report.rows).toBe(10 + 10 + 10 + 10 + 14);
  });

  it.each([
    ['of a CHECK whose function reads a table that is loaded later', 'of_later', 'is_known'],
    ['of a domain whose CHECK does', 'of_domain', 'is_in_domain'],
    ['of a CHECK whose function needs a search_path', 'by_path', 'is_below'],
  ])('%s', async (_, table, constraint) => {
    const count = await rows.ask(`SELECT count(*)::int FROM ${table}`);
    expect(count).toEqual({ source: [10], plain: [0], holdfast: [10] });
    const valid = `SELECT convalidated FROM pg_constraint WHERE conname = '${constraint}'`;
    expect((await rows.ask(valid)).holdfast).toEqual([true]);
  });

  it('and it tells, among many other lines', () => {
    expect(rows.errors).toContain('violates check constraint "is_known"');
    expect(rows.errors).toContain('violates check constraint "is_in_domain"');
    expect(rows.errors).toContain('function limit_of(integer) does not exist');
  });

  it('of hash partitions when enum keys have other hashes there: they go through the root', async () => {
    const first = await rows.ask('SELECT m::text FROM by_enum_0 ORDER BY m');
    expect(first.holdfast).not.toEqual(first.source);
    const all = await rows.ask('SELECT m::text FROM by_enum ORDER BY m');
    expect(all.holdfast).toEqual(all.source);
  });

  it.skipIf(!isNative && process.env.CI === undefined)(
    'of a database whose client_encoding cannot say them',
    async () => {
      const { errors, report, ask } = await losses.restore(
        'in_latin',
        `CREATE TABLE a (t text); INSERT INTO a VALUES ('€ and 🐘');`,
        (database) => `ALTER DATABASE ${database} SET client_encoding = 'LATIN1'`,
      );
      expect(errors).toContain('has no equivalent in encoding "LATIN1"');
      expect(report).toMatchObject(identical);
      expect(await ask('SELECT length(t) FROM a')).toEqual({
        ...{ source: [7], plain: ['relation "a" does not exist'], holdfast: [7] },
      });
    },
    timeout,
  );
});

describe('facts that a plain restore loses', () => {
  it('are all there after a restore by Holdfast', () => {
    expect(facts.report).toMatchObject(identical);
    expect(facts.report.differences.filter(({ isExpected }) => !isExpected)).toEqual([]);
  });

  it('settings, comment, rights and connection limit of the database', async () => {
    const found = await facts.ask(
      `SELECT concat_ws(' ', datconnlimit, shobj_description(oid, 'pg_database'), current_setting('work_mem'), datacl)
         FROM pg_database WHERE datname = current_database()`,
    );
    expect(found.source).toEqual(['7 mine 5MB {=T/postgres,postgres=CTc/postgres}']);
    expect(found.holdfast).toEqual(found.source);
    // Without --create pg_dump says nothing of the database itself.
    expect(found.plain).toEqual(['-1 4MB']);
  });

  it('that the triggers of a foreign key are switched off', async () => {
    const states = `SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgrelid = 'public.b'::regclass`;
    expect(await facts.ask(states)).toEqual({ source: ['D'], plain: ['O'], holdfast: ['D'] });
  });

  it('that an index is invalid: it is named, and not carried over', async () => {
    const warnings = facts.backup.warnings.map(({ message }) => message);
    expect(warnings.join('\n')).toContain('public.is_invalid');
    expect(await facts.ask(`SELECT count(*)::int FROM pg_indexes WHERE tablename = 'b'`)).toEqual({
      ...{ source: [1], plain: [0], holdfast: [0] },
    });
  });

  it('that a materialized view has no rows yet', async () => {
    const filled = `SELECT relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY relname`;
    expect((await facts.ask(filled)).holdfast).toEqual([true, false]);
  });
});
