import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BackupManager, openBackupManager, openRecoveryManager } from '../../index.ts';
import { fillShop, type Harness, makeHarness } from '../backup/harness.ts';

let harness: Harness;
let backups: BackupManager;
/** With a connection of its own: those of the tests are ended by a swap. */
async function queryOn(database: string, sql: string) {
  const url = new URL(harness.database.url);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}
const recoveries = () =>
  openRecoveryManager({
    vault: harness.vaultDirectory,
    keyFile: harness.keyFile,
    target: { ...harness.database.settings, database: 'postgres' },
  });

beforeAll(async () => {
  harness = await makeHarness('api');
  await fillShop(harness.database);
  backups = await openBackupManager({
    vault: harness.vaultDirectory,
    keyFile: harness.keyFile,
    database: harness.database.url,
    source: 'shop',
  });
});
afterAll(() => harness[Symbol.asyncDispose]());

it('backs up, lists, shows, verifies, compares, measures', async () => {
  const first = await backups.createBackup({ labels: { release: '1' } });
  await harness.database.query('UPDATE accounts SET balance = balance + 1 WHERE id = 7');
  const second = await backups.createBackup();

  const listed = await backups.listBackups();
  expect(listed.map(({ backupId }) => backupId)).toEqual([second.backupId, first.backupId]);
  expect(await backups.listBackups({ limit: 1 })).toHaveLength(1);

  const { manifest, evidence } = await backups.getBackup(first.backupId);
  expect(manifest.labels).toEqual({ release: '1' });
  expect(evidence.map(({ kind }) => kind)).toEqual(['verified', 'published']);
  expect(await backups.verifyBackup(first.backupId)).toMatchObject({ verdict: 'intact' });

  const between = await backups.compareBackups(first.backupId, second.backupId);
  expect(between.verdict).toBe('different');
  expect(between.differences.filter(({ isExpected }) => !isExpected)).toMatchObject([
    { kind: 'rows', object: 'public.accounts' },
  ]);
  expect((await backups.compareWithDatabase()).verdict).toBe('identical');

  const metrics = await backups.getBackupMetrics();
  expect(metrics).toMatchObject({
    count: 2,
    fullCount: 2,
    newestAt: listed[0]?.snapshotAt,
    oldestAt: listed[1]?.snapshotAt,
    storedBytes: first.storedBytes + second.storedBytes,
  });
  expect(metrics.rpoMs).toBeGreaterThan(0);
});

it('deletes a backup, but not the last full one unless that is said', async () => {
  const [, older] = await backups.listBackups();
  expect(await backups.deleteBackup(older?.backupId ?? '')).toMatchObject({
    backupId: older?.backupId,
  });
  const [left, ...none] = await backups.listBackups();
  expect(none).toEqual([]);
  await expect(backups.deleteBackup(left?.backupId ?? '')).rejects.toMatchObject({
    name: 'UsageError',
  });
  await expect(backups.getBackup(older?.backupId ?? '')).rejects.toMatchObject({
    name: 'BackupNotFoundError',
  });
});

it('deletes nothing of a backup of which one object is locked', async () => {
  const { backupId } = await backups.createBackup();
  const { manifest } = await backups.getBackup(backupId);
  const key = manifest.objects.at(-1)?.key ?? '';
  await harness.deps.vault.setLegalHold(key, true);
  await expect(backups.deleteBackup(backupId)).rejects.toMatchObject({
    name: 'ObjectLockedError',
    message: expect.stringContaining(key),
  });
  await harness.deps.vault.setLegalHold(key, false);
  expect(await backups.verifyBackup(backupId)).toMatchObject({ verdict: 'intact' });
});

it('cancels a run by its id, from outside', async () => {
  const runId = 'api-cancelled';
  let isCancelled: Promise<void> | undefined;
  const run = backups.createBackup({
    runId,
    onProgress: ({ state }) => {
      if (state === 'PlanUnits') isCancelled ??= backups.cancelBackup(runId);
    },
  });
  await expect(run).rejects.toMatchObject({
    name: 'RunAbortedError',
    message: expect.stringContaining('cancelled'),
  });
  await isCancelled;
  await expect(backups.cancelBackup('nonsense')).rejects.toMatchObject({ name: 'UsageError' });
});

it('puts the database back when what was guarded throws, and says why it threw', async () => {
  const { name } = harness.database;
  const balance = () => queryOn(name, 'SELECT sum(balance) FROM accounts');
  const before = await balance();
  const guarded = backups.withSafetyBackup('migration 12', async (backup) => {
    expect(backup.state).toBe('published');
    await queryOn(name, 'UPDATE accounts SET balance = 0');
    throw new Error('the migration failed');
  });
  await expect(guarded).rejects.toThrow('the migration failed');
  expect(await balance()).toEqual(before);
  const [newest] = await backups.listBackups();
  expect(newest).toMatchObject({ tier: 'safety', labels: { reason: 'migration 12' } });
});

it('restores, drills, rehearses, lists and measures recoveries', async () => {
  const manager = await recoveries();
  const database = 'api_restored';
  try {
    const plan = await manager.testRecovery({ dryRun: true });
    expect(plan).toMatchObject({ kind: 'dry-run', state: 'checked', verdict: 'not-compared' });
    const restored = await manager.restoreBackup('latest', { database });
    expect(restored).toMatchObject({ state: 'succeeded', verdict: 'identical', database });
    const drill = await manager.testRecovery({ objectives: { rtoSeconds: 3600 } });
    expect(drill).toMatchObject({ kind: 'drill', verdict: 'identical' });

    const all = await manager.listRecoveries();
    expect(all.map(({ runId }) => runId)).toEqual(
      expect.arrayContaining([plan.runId, restored.runId, drill.runId]),
    );
    expect(await manager.getRecovery(drill.runId)).toMatchObject({ runId: drill.runId });
    const metrics = await manager.getRecoveryMetrics();
    expect(metrics).toMatchObject({ drills: 1, failed: 0, lastProvenBackupId: drill.backupId });
    expect(metrics.medianRtoMs).toBeGreaterThan(0);
    await expect(manager.rollbackRecovery(restored.runId)).rejects.toMatchObject({
      name: 'RollbackImpossibleError',
    });
  } finally {
    await queryOn('postgres', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }
});
