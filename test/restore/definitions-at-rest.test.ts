/** Definitions may hold secrets (a trigger's argument, a function's body): nothing of them lies readable in a vault's folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeHarness } from '../backup/harness.ts';
import { buildAll, type Loaded, loadRows, planAsIfLarge } from './build-harness.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

/** Written in definitions only, and nowhere in a name or a row. */
const token = 'sk_live_7hQ2zW';

const definitions = `
  CREATE TABLE people (id int PRIMARY KEY, name text DEFAULT '${token}',
    CONSTRAINT plain CHECK (name <> '${token}'));
  CREATE TABLE visits (id int PRIMARY KEY, who int CONSTRAINT visitor REFERENCES people, span int4range,
    CONSTRAINT apart EXCLUDE USING gist (span WITH &&) WHERE (who <> length('${token}')));
  CREATE FUNCTION is_known(text) RETURNS boolean LANGUAGE sql AS
    $$SELECT $1 <> '${token}' AND EXISTS (SELECT FROM people)$$;
  ALTER TABLE visits ADD note text, ADD CONSTRAINT known CHECK (is_known(note) AND note <> '${token}');
  COMMENT ON CONSTRAINT known ON visits IS '${token}';
  CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; /* ${token} */ END$$;
  CREATE TRIGGER told AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION tell('Authorization: Bearer ${token}');
  COMMENT ON TRIGGER told ON visits IS '${token}';
  CREATE INDEX part_of ON people (id) WHERE name <> '${token}';
  CREATE RULE ruled AS ON UPDATE TO people WHERE NEW.name = '${token}' DO INSTEAD NOTHING;
  CREATE POLICY policed ON people USING (name <> '${token}');
  CREATE STATISTICS stats ON (name || '${token}') FROM people;
  CREATE VIEW seen AS SELECT id, name || '${token}' AS name FROM people;
  CREATE MATERIALIZED VIEW kept AS SELECT count(*) FILTER (WHERE name <> '${token}') FROM people;
  CREATE DOMAIN word AS text CONSTRAINT worded CHECK (is_known(VALUE) AND VALUE <> '${token}');
  COMMENT ON CONSTRAINT worded ON DOMAIN word IS '${token}';
  INSERT INTO people SELECT i, 'person ' || i FROM generate_series(1, 100) i;
  INSERT INTO visits SELECT i, i, int4range(i, i + 1), 'seen' FROM generate_series(1, 100) i;`;

/** A file that worker processes write or give its name at this very moment may be gone; under its name it is seen next time. */
function hasToken(path: string): boolean {
  try {
    return readFileSync(path).includes(token);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Files that have the token in them, in the vault and its workspace. */
const leaks = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(hasToken);

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('at_rest', async (database) => {
    await database.query(definitions);
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

test('no definition lies readable in the vault or its workspace, during a restore and after it', {
  timeout: 120_000,
}, async () => {
  const found = new Set<string>();
  const states = new Set<string>();
  const { database, verdict } = await harness.restore(undefined, {
    onProgress: ({ state }) => {
      states.add(state);
      for (const path of leaks(harness.source.vaultDirectory)) found.add(path);
    },
  });
  expect(verdict).toBe('identical');
  expect([...states]).toEqual(expect.arrayContaining(['PlanBuilds', 'Build', 'RunChecks']));
  expect([...found, ...leaks(harness.source.vaultDirectory)]).toEqual([]);
  const sources = await onServer<{ count: string }>(
    String(database),
    `SELECT count(*) FROM pg_trigger WHERE tgname = 'told' AND encode(tgargs, 'escape') LIKE '%${token}%'`,
  );
  expect(sources).toEqual([{ count: '1' }]);
});

test('nor of large tables, whose indexes and constraints are builds of their own', {
  timeout: 120_000,
}, async () => {
  await using source = await makeHarness('at_rest_large');
  await source.database.query(definitions);
  await using large: Loaded = await loadRows(source);
  const waves = await planAsIfLarge(large);
  const reads = vi.spyOn(large.deps.vault, 'openReader');
  await buildAll(large, waves);
  const sections = reads.mock.calls.filter(([key]) => key.includes('/schema/post-data'));
  // However many builds there are: once in a process.
  expect(sections).toHaveLength(1);
  expect(leaks(source.vaultDirectory)).toEqual([]);
  const constraints = `SELECT conname, pg_get_constraintdef(oid) AS definition, convalidated, obj_description(oid) AS comment
                         FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1`;
  expect(await large.rows(constraints)).toEqual(await source.database.query(constraints));
  const indexes = `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`;
  expect(await large.rows(indexes)).toEqual(await source.database.query(indexes));
});
