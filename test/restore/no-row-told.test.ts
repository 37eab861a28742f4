/** A restore and a backup that fail over rows: nothing that is written or thrown has a value of a row. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import { expectRefused } from './bad-input.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { urlOf } from './shared-server.ts';

/** In rows only: what the functions do with it they compute. */
const marker = 'mark3r';

/** Immutable they say, and behave otherwise in a database of another name. */
const fill = `
  CREATE FUNCTION odd(what text, v text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
    DECLARE number text;
    BEGIN
      IF strpos(current_database(), '_odd_' || what) = 0 THEN RETURN v; END IF;
      IF what = 'unique' THEN RETURN left(v, 7); END IF;
      IF what = 'check' THEN RETURN ''; END IF;
      IF what = 'syntax' THEN RETURN to_tsquery(v); END IF;
      IF what = 'raised' THEN
        RAISE 'no %', v USING DETAIL = v, HINT = v, ERRCODE = 'check_violation';
      END IF;
      EXECUTE 'SELECT ' || quote_literal(v) || '::int::text' INTO number;
      RETURN number;
    END $$;
  CREATE TABLE items (
    id int PRIMARY KEY, note text NOT NULL,
    number text GENERATED ALWAYS AS (public.odd('number', note)) STORED,
    CONSTRAINT fits CHECK (public.odd('check', note) <> ''),
    CONSTRAINT said CHECK (public.odd('raised', note) <> ''));
  INSERT INTO items VALUES (1, '${marker} one'), (2, '${marker} two');
  CREATE UNIQUE INDEX one ON items (public.odd('unique', note));
  CREATE INDEX parsed ON items (public.odd('syntax', note));
  CREATE MATERIALIZED VIEW late AS SELECT id, public.odd('view', note) AS note FROM items;`;

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('no_row', async (database) => {
    await database.query(fill);
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** All files of the vault and its workspace; backups themselves are encrypted. */
async function expectUntold(error: HoldfastError, progress: unknown): Promise<void> {
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(marker);
  expect(JSON.stringify([error, error.message, error.evidence, progress])).not.toContain(marker);
  const folder = harness.source.vaultDirectory;
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  expect(paths.some((path) => path.endsWith('outcome.json'))).toBe(true);
  const told = await Promise.all(
    paths.map(async (path) => ((await readFile(path)).includes(marker) ? [path] : [])),
  );
  expect(told.flat()).toEqual([]);
}

describe('a restore that fails over rows', { timeout: 180_000 }, () => {
  it.each([
    ['unique', '23505', /could not create unique index "one"/],
    ['check', '23514', /fits/],
    ['raised', '23514', /a function raised 23514; its text is in the server's log/],
    ['number', '22P02', /invalid input syntax for type integer: …/],
    ['view', '22P02', /late.*invalid input syntax for type integer: …/],
    ['syntax', '42601', /parsed.*syntax error in tsquery: …/],
  ])(
    '%s: names SQLSTATE and object, and tells no value anywhere',
    async (what, sqlstate, message) => {
      const progress: unknown[] = [];
      const error = await expectRefused(
        harness,
        { database: `${harness.source.database.name}_odd_${what}` },
        { name: /^(RestoreStatementError|CopyFailedError)$/, message, hint: /./, isBegun: true },
        { onProgress: (event) => progress.push(event) },
      );
      expect(error.evidence).toMatchObject({ sqlstate });
      await expectUntold(error, progress);
    },
  );
});

it('a backup that waits for a lock names process and statement without the values in it', async () => {
  const client = new pg.Client({ connectionString: urlOf(harness.source.database.name) });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE items IN ACCESS EXCLUSIVE MODE');
  await client.query(`UPDATE items SET note = '${marker} three' WHERE note = '${marker} one'`);
  const progress: unknown[] = [];
  const options = harness.source.options(
    { runId: newRunId(), onProgress: (event) => progress.push(event) },
    { options: { lockSeconds: 1 } },
  );
  const error = await runBackup(options).catch((thrown: HoldfastError) => thrown);
  await client.end();
  expect(error).toMatchObject({
    name: 'LockNotAvailableError',
    message: expect.stringMatching(/process \d+ of postgres \(UPDATE items SET note = '…' WHERE/),
  });
  await expectUntold(error as HoldfastError, progress);
});
