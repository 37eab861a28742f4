/** Every supported major: a database with everything in it, backed up by the whole machine, restored, and compared. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { openSession } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { richSchema } from '../support/rich-schema.ts';
import { sampleVault } from '../support/sample-backup.ts';
import { nativeDump, nativeLines, needNativePgDump } from './native-pg-dump.ts';

async function schemaOf(database: TestDatabase): Promise<string[]> {
  const texts: string[] = [];
  for (const section of ['pre-data', 'post-data'] as const) {
    await using session = await openSession(database.settings, {
      applicationName: 'holdfast/matrix/schema',
      purpose: 'worker',
    });
    const request = { section, filters: noFilters, lockWaitMs: 10_000 };
    texts.push((await dumpSection(session, request)).sql);
  }
  return texts;
}

/** Every relation with rows, as text, whatever the order: partitions and children by themselves. */
async function contentOf(database: TestDatabase) {
  await database.query(`SET search_path = ''; SET extra_float_digits = 1`);
  const relations = await database.query<{ name: string; filled: boolean }>(
    `SELECT oid::regclass::text AS name, relispopulated AS filled FROM pg_class
      WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
      ORDER BY 1`,
  );
  const content: Record<string, unknown> = {};
  for (const { name, filled } of relations) {
    content[name] = filled
      ? await database.query(
          `SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")) FROM ONLY ${name} AS t`,
        )
      : 'not filled';
  }
  return content;
}

const rest = `SELECT
  (SELECT json_object_agg(oid, json_build_array(lomowner::regrole, lomacl, md5(lo_get(oid)),
     obj_description(oid, 'pg_largeobject'))) FROM pg_largeobject_metadata) AS large_objects,
  (SELECT json_object_agg(schemaname || '.' || sequencename, last_value) FROM pg_sequences) AS sequences,
  (SELECT json_build_array(datdba::regrole, datacl, datconnlimit, shobj_description(oid, 'pg_database'),
     (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0))
     FROM pg_database d WHERE datname = current_database()) AS database`;

describe.each([14, 15, 16, 17, 18])('PostgreSQL %i', (major) => {
  let server: EmbeddedServer;
  let source: TestDatabase;
  let target: TestDatabase;
  let folder: string;
  let manifest: Manifest;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-matrix-'));
    server = await startServer({ major });
    source = await databaseOn(server, 'matrix_source');
    target = await databaseOn(server, `matrix "target's"`);
    await source.query(richSchema(major));
    await source.query(`
      ALTER DATABASE matrix_source OWNER TO rich_owner;
      ALTER DATABASE matrix_source SET work_mem = '5MB';
      ALTER DATABASE matrix_source SET search_path = shop, "odd ""names""";
      ALTER DATABASE matrix_source CONNECTION LIMIT 50;
      REVOKE TEMPORARY ON DATABASE matrix_source FROM PUBLIC;
      GRANT CREATE ON DATABASE matrix_source TO rich_writer WITH GRANT OPTION;
      COMMENT ON DATABASE matrix_source IS 'rich, isn''t it';`);
  });

  afterAll(async () => {
    await source?.client.end();
    await target?.client.end();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is backed up and published', async () => {
    const sample = await sampleVault(folder);
    const report = await runBackup({
      vaultDirectory: sample.root,
      keyFile: sample.keyFile,
      connection: source.settings,
      // Small units, so that tables are really read in pieces.
      input: {
        source: 'matrix',
        options: { chunkBytes: 1 << 16 },
        requestedBy: { user: 'test', host: 'test' },
      },
      jobs: 2,
    });
    expect(report).toMatchObject({ state: 'published', scope: 'full' });
    ({ manifest } = await loadManifest(sample.deps, 'matrix', report.backupId));
    expect(manifest.schema.map(({ name }) => name)).toEqual([
      'globals',
      'pre-data',
      'sequences',
      'post-data',
    ]);
    await restoreBackup(sample.deps, manifest, target.url);
  });

  test('has the same schema after a restore', async () => {
    const [before, after] = [await schemaOf(source), await schemaOf(target)];
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });

  test('has the same rows, large objects, sequences and database settings after a restore', async () => {
    const content = await contentOf(source);
    expect(Object.keys(content).length).toBeGreaterThan(20);
    expect(await contentOf(target)).toEqual(content);
    expect(await target.query(rest)).toEqual(await source.query(rest));
  });

  test('gives the native pg_dump the same text before and after', ({ skip }) => {
    needNativePgDump(major, skip);
    const schemaOnly = '--schema-only';
    expect(nativeDump(target.url, schemaOnly)).toBe(nativeDump(source.url, schemaOnly));
    const [before, after] = [nativeLines(source.url), nativeLines(target.url)];
    expect(after.find((line, index) => line !== before[index])).toBeUndefined();
    expect(after).toHaveLength(before.length);
  });
});
