import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { loadHarness, rowsOf } from './load-harness.ts';

/** An extension of the test's own, found by the setting that PostgreSQL 18 has for it. */
const script = `
  CREATE TABLE hf_rules (name text PRIMARY KEY, v text, is_own bool DEFAULT false);
  INSERT INTO hf_rules VALUES ('built in', 'x', true);
  SELECT pg_extension_config_dump('hf_rules', 'WHERE NOT is_own');
  CREATE TABLE hf_all (name text PRIMARY KEY, v text);
  INSERT INTO hf_all VALUES ('first', 'default'), ('second', 'default');
  SELECT pg_extension_config_dump('hf_all', '');`;

let source: Harness;
let folder: string;
const setPath = (name: string) =>
  `ALTER DATABASE ${name} SET extension_control_path = '${folder}:$system'`;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-extension-'));
  const files = join(folder, 'extension');
  await mkdir(files);
  await writeFile(join(files, 'hf_conf.control'), "default_version = '1.0'\nrelocatable = true\n");
  await writeFile(join(files, 'hf_conf--1.0.sql'), script);
  for (const path of [folder, files]) await chmod(path, 0o755);
  source = await makeHarness('load_extension');
  await source.database.query(setPath(source.database.name));
  await source.database.query(`SET extension_control_path = '${folder}:$system';
    CREATE EXTENSION hf_conf;
    INSERT INTO hf_rules VALUES ('mine', 'y');
    UPDATE hf_all SET v = 'changed' WHERE name = 'first'; DELETE FROM hf_all WHERE name = 'second';
    INSERT INTO hf_all VALUES ('third', 'new');`);
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test('configuration tables of an extension hold what the source had, not also what CREATE EXTENSION puts there', async () => {
  const { backupId } = (await source.runHere()) as { backupId: string };
  const prepare = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET extension_control_path = %L',
    current_database(), '${folder}:$system'); END $$`;
  await using load = await loadHarness(source, backupId, { prepare });
  expect(await rowsOf(load.target, 'hf_all')).toEqual(['(first,default)', '(second,default)']);
  await load.loadAll();
  for (const table of ['hf_rules', 'hf_all']) {
    expect(await rowsOf(load.target, table)).toEqual(await rowsOf(source.database, table));
  }
});
