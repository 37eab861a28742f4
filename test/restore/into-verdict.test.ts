/** Mode `into`: what stands in the target afterwards is what the backup has, or it is said. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer, unique } from './shared-server.ts';

const shop = `
  CREATE TABLE prices (id int PRIMARY KEY, amount numeric(12, 4), at timestamptz, rate double precision);
  INSERT INTO prices SELECT i, i + 0.1234, '2026-01-02 03:04:05.678+00', i / 7.0 FROM generate_series(1, 50) i;
  CREATE TABLE notes (kind char(3), flag bool, host inet, tags text[], word text);
  INSERT INTO notes VALUES ('a', true, '10.0.0.1', '{x,NULL}', ''), ('a', true, '10.0.0.1', '{x,NULL}', ''), (NULL, false, NULL, '{}', NULL);
  CREATE TABLE kinds (name text PRIMARY KEY);
  INSERT INTO kinds VALUES ('big'), ('small');
  CREATE FUNCTION is_kind(text) RETURNS bool LANGUAGE plpgsql AS
    $$ BEGIN RETURN EXISTS (SELECT FROM kinds WHERE name = $1); END $$;
  CREATE TABLE boxes (id int PRIMARY KEY, kind text CONSTRAINT known CHECK (is_kind(kind)), UNIQUE (id, kind));
  COMMENT ON CONSTRAINT known ON boxes IS 'one of kinds';
  INSERT INTO boxes SELECT i, 'big' FROM generate_series(1, 30) i;
  CREATE EXTENSION citext;
  CREATE TYPE size AS ENUM ('s', 'l');
  CREATE TABLE people (mail citext, size size, born date, points int, PRIMARY KEY (size, mail)) PARTITION BY HASH (size);
  CREATE TABLE people_0 PARTITION OF people FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE people_1 PARTITION OF people FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  INSERT INTO people SELECT 'P' || i, (ARRAY['s', 'l'])[1 + i % 2]::size, date '2000-01-01' + i, i FROM generate_series(1, 40) i;
  CREATE PUBLICATION sales FOR TABLE boxes;`;

let harness: RestoreHarness;

beforeAll(async () => {
  harness = await makeRestoreHarness('into_verdict', async (database) => {
    await database.query(shop);
  });
}, 120_000);

afterAll(() => harness?.[Symbol.asyncDispose]());

/** A database with the shop, in which `damage` has happened. */
async function damaged(damage: string): Promise<string> {
  const name = harness.ownDatabase(unique('into_verdict'));
  await onServer('postgres', `CREATE DATABASE ${name} TEMPLATE template0`);
  await onServer(name, shop);
  await onServer(name, damage);
  return name;
}

type Selection = NonNullable<Parameters<RestoreHarness['restore']>[0]>['selection'];
const into = (database: string, selection: Selection) =>
  harness.restore({ mode: 'into', database, selection, safetyBackup: false });
const content = (database: string, table: string) =>
  onServer(database, `SELECT ${table}::text AS row FROM ${table} ORDER BY 1`);

test('rows that go through a partitioned table: its own triggers do not fire, and are enabled as before', {
  timeout: 60_000,
}, async () => {
  const database = await damaged(`DELETE FROM people;
    CREATE TABLE log (what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO log VALUES (TG_NAME); RETURN NULL; END $$;
    CREATE TRIGGER usual AFTER INSERT OR UPDATE ON people EXECUTE FUNCTION note();
    CREATE TRIGGER always AFTER INSERT ON people EXECUTE FUNCTION note();
    ALTER TABLE people ENABLE ALWAYS TRIGGER always`);
  await into(database, { tables: ['people'], onConflict: 'error' });
  expect(await onServer(database, 'SELECT count(*)::int AS count FROM people')).toEqual([
    { count: 40 },
  ]);
  expect(await content(database, 'log')).toEqual([]);
  expect(
    await onServer(
      database,
      `SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'people'::regclass ORDER BY 1`,
    ),
  ).toEqual([
    { tgname: 'always', tgenabled: 'A' },
    { tgname: 'usual', tgenabled: 'O' },
  ]);
});

describe('values that the table cannot hold any more', { timeout: 60_000 }, () => {
  test.each([
    ['numeric(12,2)', 'amount', 'ALTER TABLE prices ALTER amount TYPE numeric(12, 2)'],
    ['date', 'at', 'ALTER TABLE prices ALTER at TYPE date'],
    ['real', 'rate', 'ALTER TABLE prices ALTER rate TYPE real'],
  ])('%s: rounding is refused, and the column is named', async (type, column, change) => {
    const database = await damaged(`${change}; DELETE FROM prices WHERE id > 10`);
    const before = await content(database, 'prices');
    for (const onConflict of ['skip', 'replace'] as const) {
      await expect(into(database, { tables: ['prices'], onConflict })).rejects.toMatchObject({
        name: 'RestoreDifferentError',
        message: expect.stringMatching(
          `^public\\.prices cannot hold \\d+ rows .*: ${column} is ${type.replace(/[()]/g, '\\$&')}`,
        ),
        hint: expect.stringContaining('--as'),
      });
    }
    expect(await content(database, 'prices')).toEqual(before);
  });

  test('also in a table without a key', async () => {
    const database = await damaged(
      'DELETE FROM notes; ALTER TABLE notes ALTER word TYPE bytea USING NULL',
    );
    await expect(into(database, { tables: ['notes'], onConflict: 'error' })).rejects.toMatchObject({
      name: 'RestoreDifferentError',
      message: expect.stringContaining('word is bytea'),
    });
    expect(await content(database, 'notes')).toEqual([]);
  });

  test('a wider type is no difference', async () => {
    const database = await damaged(
      'ALTER TABLE prices ALTER id TYPE bigint, ALTER amount TYPE numeric; DELETE FROM prices',
    );
    const report = await into(database, { tables: ['prices'], onConflict: 'error' });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
  });
});

describe('the verdict', { timeout: 60_000 }, () => {
  test('skip: rows that were kept and differ are counted', async () => {
    const database = await damaged(
      'DELETE FROM prices WHERE id <= 20; UPDATE prices SET amount = 0 WHERE id > 43',
    );
    const report = await into(database, { tables: ['prices'], onConflict: 'skip' });
    expect(report).toMatchObject({
      ...{ state: 'succeeded', verdict: 'different', error: null },
      merged: [{ table: 'public.prices', rows: 50, written: 20, different: 7, isNew: false }],
      differences: [
        {
          ...{ kind: 'rows', object: 'public.prices', isExpected: true },
          right: expect.stringContaining('existing rows were kept'),
        },
      ],
    });
  });

  test('skip: identical when those that were kept are the same', async () => {
    const database = await damaged('DELETE FROM prices WHERE id <= 20');
    const report = await into(database, { tables: ['prices'], onConflict: 'skip' });
    expect(report).toMatchObject({
      ...{ verdict: 'identical', differences: [] },
      merged: [{ written: 20, different: 0 }],
    });
  });

  test('--where: rows that it leaves out do not count', async () => {
    const database = await damaged(
      'DELETE FROM prices WHERE id = 3; UPDATE prices SET amount = 0 WHERE id > 20',
    );
    const selection: Selection = {
      ...{ tables: ['prices'], onConflict: 'skip', where: 'id <= 20 -- few' },
    };
    expect(await into(database, selection)).toMatchObject({
      verdict: 'identical',
      merged: [{ rows: 20, written: 1, different: 0 }],
    });
  });

  test('replace: identical, also beside newer rows', async () => {
    const database = await damaged(
      'UPDATE prices SET amount = 0 WHERE id > 43; INSERT INTO prices (id) VALUES (99)',
    );
    const report = await into(database, { tables: ['prices'], onConflict: 'replace' });
    expect(report).toMatchObject({ verdict: 'identical', merged: [{ rows: 50, different: 0 }] });
  });
});

describe('a key of types of its own, in partitions by its hash', { timeout: 60_000 }, () => {
  const people = async (database: string) => {
    await onServer(
      database,
      `DELETE FROM people WHERE points <= 10; UPDATE people SET points = 0 WHERE points > 37`,
    );
    return database;
  };
  const sumOf = (merged: { different: number; written: number }[] = []) => [
    merged.reduce((sum, { written }) => sum + written, 0),
    merged.reduce((sum, { different }) => sum + different, 0),
  ];

  test('skip: counts those that differ', async () => {
    const database = await people(await damaged(''));
    const report = await into(database, { tables: ['people'], onConflict: 'skip' });
    expect(report.verdict).toBe('different');
    expect(sumOf(report.merged)).toEqual([10, 3]);
  });

  test('replace: all are as they were; a key that is spelled otherwise now is refused', async () => {
    const database = await people(await damaged(''));
    const report = await into(database, { tables: ['people'], onConflict: 'replace' });
    expect(report.verdict).toBe('identical');
    await onServer(database, `UPDATE people SET mail = 'p7' WHERE mail = 'P7'`);
    await expect(
      into(database, { tables: ['people'], onConflict: 'replace' }),
    ).rejects.toMatchObject({
      name: 'RestoreDifferentError',
      message: expect.stringMatching(/^1 row of public\.people_[01] would not be/),
    });
  });

  test('tables that were dropped come back', async () => {
    const database = await damaged('DROP TABLE people');
    const report = await into(database, { tables: ['people'] });
    expect(report.verdict).toBe('identical');
    expect(sumOf(report.merged)).toEqual([40, 0]);
  });
});

describe('a table without a primary key', { timeout: 60_000 }, () => {
  test('that has rows is refused: they would be there twice', async () => {
    const database = await damaged('DELETE FROM notes WHERE kind IS NULL');
    const before = await content(database, 'notes');
    const failure = await into(database, { tables: ['notes'], onConflict: 'error' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      name: 'PreflightFailedError',
      message: expect.stringContaining('no primary key'),
    });
    expect(await content(database, 'notes')).toEqual(before);
  });

  test('that is empty, or was dropped, or is beside gets its rows, duplicates too', async () => {
    const database = await damaged('');
    const before = await content(database, 'notes');
    await onServer(database, 'DELETE FROM notes');
    expect(await into(database, { tables: ['notes'], onConflict: 'error' })).toMatchObject({
      verdict: 'identical',
    });
    expect(await content(database, 'notes')).toEqual(before);
    await onServer(database, 'DROP TABLE notes');
    expect(await into(database, { tables: ['notes'] })).toMatchObject({ verdict: 'identical' });
    expect(await content(database, 'notes')).toEqual(before);
    await into(database, { tables: ['notes'], as: 'notes_then' });
    expect(await content(database, 'notes_then')).toEqual(before);
  });
});

describe('a CHECK that calls a function which names its table without a schema', {
  timeout: 60_000,
}, () => {
  const checks = (database: string) =>
    onServer(
      database,
      `SELECT conname, convalidated, pg_get_constraintdef(oid) AS definition, obj_description(oid, 'pg_constraint') AS comment
         FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text LIKE '%boxes' ORDER BY 1`,
    );

  test('lets rows into a table that is there', async () => {
    const database = await damaged('DELETE FROM boxes WHERE id < 10');
    expect(await into(database, { tables: ['boxes'], onConflict: 'skip' })).toMatchObject({
      verdict: 'identical',
      merged: [{ written: 9 }],
    });
  });

  test('comes back with its table, after the rows of the table that it reads, in the search path of the database', async () => {
    const database = await damaged('');
    const before = await checks(database);
    await onServer(
      database,
      `CREATE SCHEMA other; ALTER DATABASE ${database} SET search_path = other, public; DROP TABLE boxes; DROP TABLE kinds`,
    );
    const report = await into(database, { tables: ['boxes', 'kinds'] });
    expect(report).toMatchObject({ verdict: 'identical' });
    expect(await checks(database)).toEqual(before);
    expect(report.warnings).toContainEqual(
      expect.objectContaining({
        code: 'publications-left-out',
        message: expect.stringContaining('public.boxes in sales'),
      }),
    );
  });

  test('goes beside, and refuses rows that break it', async () => {
    const database = await damaged('');
    expect(await into(database, { tables: ['boxes'], as: 'old_boxes' })).toMatchObject({
      verdict: 'identical',
    });
    await onServer(database, `DROP TABLE boxes; DELETE FROM kinds WHERE name = 'big'`);
    await expect(into(database, { tables: ['boxes'] })).rejects.toMatchObject({
      name: 'RestoreStatementError',
      message: expect.stringContaining('known'),
    });
  });
});
