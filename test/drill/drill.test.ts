import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { drillInputSchema, type RestoreInput } from '../../core/contract/restore.ts';
import { scratchRunId } from '../../core/drill/drill-record.ts';
import { planDrill } from '../../core/drill/plan-drill.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { damageOneByte } from '../../local/demo/damage.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import { type RunDrillOptions, runDrill } from '../../local/engine/run-drill.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { collect, fillShop, type Harness, makeHarness, requestedBy } from '../backup/harness.ts';
import { targetDeps } from '../restore/cutover-harness.ts';
import { dropDatabases } from '../restore/shared-server.ts';
import { sharedSettings } from '../support/postgres.ts';

const drillOf = (harness: Harness, input: object = {}): RunDrillOptions => ({
  vaultDirectory: harness.vaultDirectory,
  keyFile: harness.keyFile,
  connection: sharedSettings('postgres'),
  jobs: 2,
  input: { target: 'scratch', requestedBy, ...input },
});

const evidenceOf = async (harness: Harness, backupId: string) =>
  (await collect(readAllEvidence(harness.deps, 'shop', backupId))).filter(
    ({ kind }) => kind === 'proven' || kind === 'damaged',
  );

const scratchDatabases = async (harness: Harness): Promise<string[]> => {
  const like = `${harness.database.settings.database}\\_drill\\_%`;
  const rows = await harness.database.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE '${like}'`,
  );
  return rows.map(({ datname }) => datname);
};

test('a good backup is proven, with signed evidence, a report, and nothing left on the target', async () => {
  await using harness = await makeHarness('drill_good');
  await fillShop(harness.database);
  const backup = await runBackup(harness.options());
  const report = await runDrill(
    drillOf(harness, {
      objectives: { rtoSeconds: 3600, rpoSeconds: 3600 },
      checks: [{ name: 'all accounts', sql: 'SELECT count(*) = 20000 FROM public.accounts' }],
    }),
  );
  expect(report).toMatchObject({
    kind: 'drill',
    state: 'succeeded',
    verdict: 'identical',
    backupId: backup.backupId,
    database: null,
    rows: backup.rows,
    tables: backup.tables,
    error: null,
    checks: [{ name: 'all accounts', isPassed: true }],
  });
  expect(report.rtoMs).toBeGreaterThan(0);
  expect(await scratchDatabases(harness)).toEqual([]);
  const evidence = await evidenceOf(harness, backup.backupId);
  expect(evidence).toMatchObject([
    {
      kind: 'proven',
      by: requestedBy,
      facts: {
        verdict: 'identical',
        rtoMs: report.rtoMs,
        rpoMs: report.rpoMs,
        rows: backup.rows,
        phases: {
          downloadAndLoad: expect.any(Number),
          index: expect.any(Number),
          verify: expect.any(Number),
        },
      },
    },
  ]);
  const page = await readFile(report.page as string, 'utf8');
  expect(page).toContain('<h1>The backup is proven</h1>');
  expect(page).toContain(evidence[0]?.key);
  expect(page).toContain(evidence[0]?.manifestSha256);
  const { password } = sharedSettings('postgres');
  expect(page).not.toContain(String(password));
});

test('a backup with one changed byte is found damaged, and the scratch database is dropped', async () => {
  await using harness = await makeHarness('drill_bad');
  await fillShop(harness.database);
  const backup = await runBackup(harness.options());
  await damageOneByte(harness.vaultDirectory, await harness.manifest(backup.backupId));
  const runId = newRunId();
  await expect(runDrill({ ...drillOf(harness), runId })).rejects.toMatchObject({
    name: expect.stringMatching(/^(ObjectDamagedError|DecryptionError)$/),
  });
  expect(await scratchDatabases(harness)).toEqual([]);
  expect(await evidenceOf(harness, backup.backupId)).toMatchObject([
    { kind: 'damaged', facts: { verdict: 'not-compared', drill: runId } },
  ]);
  const page = await readFile(
    `${harness.deps.workspace.location}/restores/${runId}/report.html`,
    'utf8',
  );
  expect(page).toContain('<h1>The backup is damaged</h1>');
});

test('a drill that was killed leaves its scratch database to the next one, which drops it', async () => {
  await using harness = await makeHarness('drill_killed');
  await fillShop(harness.database);
  await runBackup(harness.options());
  const killed = { ...drillOf(harness), runId: newRunId() };
  const { restore } = await planDrill(targetDeps(harness.deps), {
    runId: killed.runId,
    request: drillInputSchema.parse(killed.input),
  });
  // As far as it got: the restore is done, and nobody concluded the drill.
  await runRestore({
    ...killed,
    runId: scratchRunId(killed.runId),
    input: restore as RestoreInput,
  });
  expect(await scratchDatabases(harness)).toEqual([restore?.database]);
  expect(await runDrill(drillOf(harness))).toMatchObject({ state: 'succeeded' });
  expect(await scratchDatabases(harness)).toEqual([]);
});

test('--keep leaves the scratch database, and the report says where it is', async () => {
  await using harness = await makeHarness('drill_kept');
  await fillShop(harness.database);
  await runBackup(harness.options());
  const report = await runDrill(drillOf(harness, { keepScratch: true }));
  try {
    expect(await scratchDatabases(harness)).toEqual([report.database]);
    expect(await readFile(report.page as string, 'utf8')).toContain('which was kept');
    // The next drill leaves it alone, too.
    await runDrill(drillOf(harness));
    expect(await scratchDatabases(harness)).toEqual([report.database]);
  } finally {
    await dropDatabases([report.database]);
  }
});
