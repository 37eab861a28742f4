/** Whole backups through the handlers, with what a function adds to their ports: its time limit, and metrics. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outcomeSchema } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { OutputOf } from '../../core/contract/payloads.ts';
import { getJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { fillShop, type Harness, makeHarness } from '../backup/harness.ts';

let harness: Harness;
const told: (readonly [string, number, string | undefined])[] = [];
const metric: NonNullable<Deps['metric']> = (name, value, { source }) =>
  told.push([name, value, source]);
beforeAll(async () => {
  harness = await makeHarness('whole_run');
  await fillShop(harness.database);
  Object.assign(harness.deps, { metric });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const lastOf = (name: string) => told.findLast(([each]) => each === name)?.[1];

it('a function whose limit is much shorter than the options say hands the rest of its unit back, and all rows are there', async () => {
  const parts: OutputOf<'DumpUnit'>[] = [];
  const handedBack = () => parts.filter(({ hasRemainder }) => hasRemainder).length;
  // One unit.
  const dump = { chunkBytes: 64 << 20 };
  const report = await harness.runHere(
    async (state, _input, call) => {
      // 1 ms for 8 MB, then for 4; what the options say, which is 840 s, for what is left.
      Object.assign(harness.deps, { taskSeconds: handedBack() < 2 ? 0.001 : undefined });
      const output = await call();
      if (state === 'DumpUnit') parts.push(output as OutputOf<'DumpUnit'>);
      return output;
    },
    newRunId(),
    dump,
  );
  Object.assign(harness.deps, { taskSeconds: undefined });
  expect(handedBack()).toBe(2);
  const { backupId } = report as { backupId: string };
  const manifest = await harness.manifest(backupId);
  const accounts = manifest.tables.find(({ name }) => name === 'accounts');
  expect(accounts?.rows).toBe(20_000);
  expect(accounts?.segments).toHaveLength(3);
  const copied = await harness.database.query<{ line: string }>(
    "SELECT id || E'\\t' || balance || E'\\t' || note AS line FROM accounts",
  );
  const lines = copied.map(({ line }) => line).sort();
  expect(await harness.rowsOf(manifest, accounts as NonNullable<typeof accounts>)).toEqual(lines);
});

it('a backup that was published is told in bytes, rows and time, once', async () => {
  told.length = 0;
  const report = (await harness.runHere()) as Record<string, number>;
  expect(told.filter(([name]) => name === 'BackupPublished')).toEqual([
    ['BackupPublished', 1, 'shop'],
  ]);
  expect(lastOf('BackupRows')).toBe(report['rows']);
  expect(lastOf('BackupRawBytes')).toBe(report['rawBytes']);
  expect(lastOf('BackupStoredBytes')).toBe(report['storedBytes']);
  expect(lastOf('BackupDuration')).toBe(report['durationMs']);
  expect(lastOf('SnapshotAge')).toBeGreaterThanOrEqual(0);
  expect(lastOf('BackupFailed')).toBeUndefined();
});

it('a backup whose server cannot be logged in to is told under its source, and found by it', async () => {
  told.length = 0;
  const runId = newRunId();
  const { connectionOf } = harness.deps;
  const password = async () => 'no longer this';
  const wrong = { ...harness.database.settings, password };
  Object.assign(harness.deps, { connectionOf: async () => wrong });
  const failing = harness.runHere((_state, _input, call) => call(), runId);
  await expect(failing).rejects.toMatchObject({ name: 'AuthenticationFailedError' });
  Object.assign(harness.deps, { connectionOf });
  expect(told).toEqual([['BackupFailed', 1, 'shop']]);
  const outcome = await getJson(
    harness.deps.workspace,
    outcomeSchema,
    workspaceKeys.outcome(runId),
  );
  expect(outcome).toMatchObject({ source: 'shop', error: 'AuthenticationFailedError' });
});

it('a backup that failed is told as that and nothing else', async () => {
  told.length = 0;
  const failing = harness.runHere(async (state, _input, call) => {
    if (state === 'Seal') throw new Error('the function was killed');
    return call();
  });
  await expect(failing).rejects.toMatchObject({ name: 'InternalError' });
  expect(told.filter(([name]) => name.startsWith('Backup'))).toEqual([['BackupFailed', 1, 'shop']]);
});
