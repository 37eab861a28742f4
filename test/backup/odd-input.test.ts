/** Odd databases that must simply work: backed up by the whole machine, restored, and compared row by row by the server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { type Harness, makeHarness } from './harness.ts';

const name63 = 'n'.repeat(63);
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const names = ['with "quotes"', 'new\nline', 'emoji 🐘', name63, 'SELECT', "it's $$ \\ %"];

let harness: Harness;
let target: TestDatabase;

beforeAll(async () => {
  harness = await makeHarness('odd');
  target = await testDatabase('odd_target');
  const { database } = harness;
  for (const name of names) {
    await database.query(`CREATE SCHEMA ${quoted(name)};
      CREATE TABLE ${quoted(name)}.${quoted(name)} (${quoted(name)} serial PRIMARY KEY, v text);
      INSERT INTO ${quoted(name)}.${quoted(name)} (v) VALUES ('a'), (NULL)`);
  }
  const columns = Array.from({ length: 1600 }, (_, i) => `c${i} boolean`);
  await database.query(`
    CREATE TABLE empty (id int, t text);
    CREATE TABLE no_columns ();
    INSERT INTO no_columns SELECT FROM generate_series(1, 5);
    CREATE TABLE wide (${columns.join(', ')});
    INSERT INTO wide (c0, c1599) VALUES (true, false), (NULL, true);
    CREATE TABLE large_field (id int, data text);
    INSERT INTO large_field SELECT i, repeat(md5(i::text), 60000000 / 32) FROM generate_series(1, 2) i;
    CREATE TABLE copy_marks (v text);
    INSERT INTO copy_marks VALUES ('\\N'), ('\\.'), (E'a\\tb\\nc\\rd\\\\e'), (''), (NULL), (E'\\x01\\x7f'), ('ünï ☃ 🐘');
    CREATE TABLE gaps (id int, v text);
    INSERT INTO gaps SELECT i, 'v' || i FROM generate_series(1, 1000) i;
    ALTER TABLE gaps DROP COLUMN v; ALTER TABLE gaps ADD w int DEFAULT 7;
    ALTER DATABASE ${quoted(database.name)} SET client_encoding = 'LATIN1';
    ALTER DATABASE ${quoted(database.name)} SET "DateStyle" = 'German, DMY';
    ALTER DATABASE ${quoted(database.name)} SET bytea_output = 'escape';
    CREATE TABLE written_differently (d date, b bytea, f float8, i interval, m money);
    INSERT INTO written_differently VALUES ('2026-02-01', '\\x00ff5c', 0.1 + 0.2, '1 year 2 mons -3 days', 12.34)`);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await target.drop();
});

it('odd names, columns, fields and settings come back as they were', async () => {
  const report = await runBackup(harness.options());
  expect(report).toMatchObject({ state: 'published', scope: 'full', tables: names.length + 7 });
  await restoreBackup(harness.deps, await harness.manifest(report.backupId), target.url);

  const tables = [
    ...names.map((name) => `${quoted(name)}.${quoted(name)}`),
    ...['empty', 'no_columns', 'wide', 'large_field', 'copy_marks', 'gaps', 'written_differently'],
  ];
  const client = { encoding: 'SET client_encoding = UTF8' };
  await harness.database.query(client.encoding);
  await target.query(client.encoding);
  for (const table of tables) {
    const content = `SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM ${table} AS t`;
    expect(await target.query(content), table).toEqual(await harness.database.query(content));
  }
  for (const name of names) {
    const next = await target.query<{ next: string }>(
      `INSERT INTO ${quoted(name)}.${quoted(name)} (v) VALUES ('new') RETURNING ${quoted(name)} AS next`,
    );
    expect(next, name).toEqual([{ next: 3 }]);
  }
});
