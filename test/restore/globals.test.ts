import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { hideCustomSettings } from '../../core/inventory/hide-custom-settings.ts';
import { hasHiddenSettings, revealCustomSettings } from '../../core/schema/custom-settings.ts';
import { globalsSql } from '../../core/schema/globals.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { type Harness, makeHarness, requestedBy } from '../backup/harness.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let harness: Harness;
const role = 'hf_globals_role';
const secret = `it's "s3cret" \\ with $$ and\nlines`;
beforeAll(async () => {
  harness = await makeHarness('globals');
  const { name } = harness.database;
  const quoted = pg.escapeLiteral(secret);
  await harness.database.query(`
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES parent);
    INSERT INTO child VALUES (NULL);
    ALTER TABLE child DISABLE TRIGGER ALL;
    CREATE TABLE twice AS SELECT 1 AS n UNION ALL SELECT 1;
    CREATE ROLE ${role} NOLOGIN;
    ALTER DATABASE ${pg.escapeIdentifier(name)} SET "app.jwt_secret" TO ${quoted};
    ALTER DATABASE ${pg.escapeIdentifier(name)} SET "app.plain" TO 'x';
    ALTER ROLE ${role} IN DATABASE ${pg.escapeIdentifier(name)} SET "app.role_key" TO ${quoted};
    ALTER DATABASE ${pg.escapeIdentifier(name)} SET search_path TO public, "$user";
    GRANT SELECT ON parent TO ${role};`);
  await harness.database
    .query('CREATE UNIQUE INDEX CONCURRENTLY twice_n ON twice (n)')
    .catch(() => undefined);
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  await client.query(`DROP ROLE IF EXISTS ${role}`).catch(() => undefined);
  await client.end();
});

function urlOf(database: string) {
  const url = new URL(harness.database.url);
  url.pathname = `/${database}`;
  return url.href;
}

it('restores what only the encrypted part of a backup knows, and the state of foreign keys', async () => {
  const backup = await runBackup(harness.options());
  expect(backup.warnings.map(({ code }) => code)).toContain('invalid-index');
  const manifest = await harness.manifest(backup.backupId);
  expect(JSON.stringify(manifest)).not.toContain('s3cret');

  const database = `${harness.database.name}_restored`;
  const report = await runRestore({
    vaultDirectory: harness.vaultDirectory,
    keyFile: harness.keyFile,
    connection: { ...harness.database.settings, database: 'postgres' },
    jobs: 2,
    input: { target: 'target', database, requestedBy },
  });
  expect(report).toMatchObject({ verdict: 'identical', differences: [] });
  const client = new pg.Client({ connectionString: urlOf(database) });
  await client.connect();
  try {
    const one = async (sql: string) => (await client.query(sql)).rows[0];
    expect(await one(`SELECT current_setting('app.jwt_secret') AS it`)).toEqual({ it: secret });
    expect(await one(`SELECT current_setting('app.plain') AS it`)).toEqual({ it: 'x' });
    expect(
      await one(`SELECT setconfig FROM pg_db_role_setting WHERE setrole = '${role}'::regrole
                  AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`),
    ).toEqual({ setconfig: [`app.role_key=${secret}`] });
    // It would be refused were the key enforced.
    await client.query('INSERT INTO child VALUES (4711)');
    expect(await one(`SELECT count(*)::int AS n FROM pg_class WHERE relname = 'twice_n'`)).toEqual({
      n: 0,
    });
  } finally {
    await client.end();
    await harness.database.query(`DROP DATABASE ${pg.escapeIdentifier(database)} WITH (FORCE)`);
  }
});

it('reads every hidden value back from the text, whatever is in it', async () => {
  const manifest = await harness.manifest((await harness.catalogue())[0]?.backupId ?? '');
  const odd = [secret, '', "'", '\\', `' || x || '`, '$hf$ DO $$', 'SET "a.b" TO \'c\';'];
  const settings = odd.map((value, index) => `a"b.n${index}=${value}`);
  const [first] = manifest.inventory.roles;
  const original = {
    database: { ...manifest.inventory.database, settings },
    roles: [
      {
        ...(first as (typeof manifest.inventory.roles)[number]),
        name: 'od"d',
        memberOf: [],
        settings: settings.flatMap((setting) => [
          { inThisDatabase: true, setting },
          { inThisDatabase: false, setting },
        ]),
      },
    ],
  };
  const hidden = hideCustomSettings(original);
  expect(hasHiddenSettings(hidden)).toBe(true);
  expect(JSON.stringify(hidden)).not.toContain('s3cret');
  expect(revealCustomSettings(hidden, globalsSql(original))).toEqual(original);
});
