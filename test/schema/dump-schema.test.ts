import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import { schemaReceiptSchema } from '../../core/contract/plan.ts';
import { dumpSchemaState } from '../../core/schema/dump-schema.ts';
import { writeTextSection } from '../../core/schema/text-section.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { readRun } from '../../core/snapshot/marks.ts';
import { releaseSnapshot } from '../../core/snapshot/release-snapshot.ts';
import { decodeJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { openSegment } from '../../core/verify/read-segment.ts';
import { sampleRun } from '../snapshot/support.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { type SampleVault, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const temporaryFolder = temporaryFolders();
let database: TestDatabase;
let sample: SampleVault;
let release: () => Promise<unknown> = async () => undefined;

beforeEach(async () => {
  database = await testDatabase('dump_schema');
  sample = await sampleVault(await temporaryFolder());
  await database.query(`CREATE TYPE mood AS ENUM ('ok');
    CREATE TABLE people (id int PRIMARY KEY, mood mood);
    CREATE FUNCTION cheer(mood) RETURNS mood LANGUAGE sql AS 'SELECT $1';`);
});
afterEach(async () => {
  await release();
  await database.drop();
});

async function run(filters: object = {}, onProgress: (event: Progress) => void = () => undefined) {
  const { runId, deps } = await sampleRun(await temporaryFolder(), database.settings, { filters });
  const all: Deps = { ...deps, ...sample.deps, workspace: deps.workspace, progress: onProgress };
  await holdSnapshot(all, { runId, attempt: 1 });
  release = () => releaseSnapshot(all, { runId });
  return { runId, deps: all };
}

async function receiptOf(deps: Deps, runId: string) {
  const key = workspaceKeys.schema(runId);
  const entry = await deps.workspace.get(key);
  return entry && decodeJson(schemaReceiptSchema, entry.body, key);
}

test('both sections are in the vault, staged, and open as the SQL of the snapshot', async () => {
  const { runId, deps } = await run();
  const output = await dumpSchemaState(deps, { runId });
  const receipt = await receiptOf(deps, runId);
  expect(receipt?.sections.map(({ name }) => name)).toEqual(['pre-data', 'post-data']);
  expect(receipt?.pgDumpVersion).toMatch(/^18\./);
  const texts: string[] = [];
  for (const { segment } of receipt?.sections ?? []) {
    const object = receipt?.objects[segment.object];
    if (object === undefined) throw new Error('no object');
    expect((await deps.vault.head(object.key)).tags).toEqual({ 'holdfast-tier': 'staged' });
    expect(object).toMatchObject({ storedBytes: segment.storedBytes, sha256: segment.sha256 });
    texts.push(await text((await openSegment(deps, object, segment)).plain));
  }
  expect(output).toEqual({ sections: 2, rawBytes: Buffer.byteLength(texts.join('')) });
  await using copy = await testDatabase('dump_schema_copy');
  await copy.query(texts[0] ?? '');
  await copy.query(texts[1] ?? '');
  const primaryKeys = `SELECT conname FROM pg_constraint
    WHERE contype = 'p' AND conrelid = 'public.people'::regclass`;
  expect(await copy.query(primaryKeys)).toEqual([{ conname: 'people_pkey' }]);
});

test('a type renamed while pg_dump reads is an error and leaves no receipt', async () => {
  let renamed: Promise<unknown> | undefined;
  const { runId, deps } = await run({}, ({ message }) => {
    if (message === 'pre-data') renamed = database.query('ALTER TYPE mood RENAME TO temper');
  });
  await expect(dumpSchemaState(deps, { runId })).rejects.toMatchObject({
    name: 'SchemaMovedError',
  });
  await renamed;
  expect(await receiptOf(deps, runId)).toBeUndefined();
});

test('a function replaced between snapshot and dump is an error', async () => {
  const { runId, deps } = await run();
  await database.query(
    `CREATE OR REPLACE FUNCTION cheer(mood) RETURNS mood LANGUAGE sql AS 'SELECT NULL::mood'`,
  );
  await expect(dumpSchemaState(deps, { runId })).rejects.toMatchObject({
    name: 'SchemaMovedError',
    message: expect.stringContaining('between the snapshot'),
  });
});

test('a retry dumps nothing again and keeps what later states added', async () => {
  const events: Progress[] = [];
  const { runId, deps } = await run({}, (event) => void events.push(event));
  const first = await dumpSchemaState(deps, { runId });
  const record = await readRun(deps.workspace, runId);
  await writeTextSection(deps, record, 'sequences', 'SELECT 1;\n');
  await writeTextSection(deps, record, 'sequences', 'SELECT 2;\n');
  const told = events.length;
  expect(await dumpSchemaState(deps, { runId })).toEqual(first);
  expect(events).toHaveLength(told);
  const receipt = await receiptOf(deps, runId);
  expect(receipt?.sections.map(({ name }) => name)).toEqual(['pre-data', 'sequences', 'post-data']);
  expect(receipt?.objects).toHaveLength(3);
});

test('another snapshot of the run gets another dump', async () => {
  const { runId, deps } = await run();
  await dumpSchemaState(deps, { runId });
  const first = await receiptOf(deps, runId);
  await holdSnapshot(deps, { runId, attempt: 2 });
  await dumpSchemaState(deps, { runId });
  const second = await receiptOf(deps, runId);
  expect(second?.snapshot).not.toBe(first?.snapshot);
  expect(second?.objects.map(({ key }) => key)).not.toEqual(first?.objects.map(({ key }) => key));
});

test('--data-only leaves an empty receipt, so that later states know it was their turn', async () => {
  const { runId, deps } = await run({ sections: 'data' });
  expect(await dumpSchemaState(deps, { runId })).toEqual({ sections: 0, rawBytes: 0 });
  expect((await receiptOf(deps, runId))?.sections).toEqual([]);
});

test('a section before DumpSchema is refused', async () => {
  const { runId, deps } = await run();
  const record = await readRun(deps.workspace, runId);
  await expect(writeTextSection(deps, record, 'globals', '')).rejects.toMatchObject({
    name: 'IncompleteBackupError',
  });
});
