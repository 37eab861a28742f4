/** What a database knows and a stranger who reads the vault must not: values of custom settings, rows, definitions. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { openSegment } from '../../core/verify/read-segment.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { makeHarness } from './harness.ts';

it('custom settings, rows and definitions are nowhere in the vault as clear text, and the settings come back', async () => {
  await using harness = await makeHarness('secrets');
  const { database } = harness;
  await database.query(`ALTER DATABASE ${database.name} SET app.jwt_secret = 'canary-setting';
    ALTER DATABASE ${database.name} SET work_mem = '7MB';
    CREATE TABLE t AS SELECT 'canary-row' AS v;
    CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'canary-definition' $$`);
  const report = await runBackup(harness.options());

  const entries = await readdir(harness.vaultDirectory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(10);
  for (const { parentPath, name } of files) {
    expect((await readFile(join(parentPath, name))).includes('canary'), name).toBe(false);
  }

  const manifest = await harness.manifest(report.backupId);
  expect(manifest.inventory.database.settings).toEqual([
    'app.jwt_secret=(in globals.sql)',
    'work_mem=7MB',
  ]);
  const globals = manifest.schema.find(({ name }) => name === 'globals');
  const object = manifest.objects[globals?.segment.object as number];
  const opened = await openSegment(harness.deps, object as never, globals?.segment as never);
  expect(await text(opened.plain)).toContain('canary-setting');
});
