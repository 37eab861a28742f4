import { expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { readRestoreOutcome } from '../../core/report/outcome.ts';
import { noteRolledBack, readReport, writeRestoreReport } from '../../core/report/write-report.ts';
import { reportRestore } from '../../core/restore/report.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
const runId = '20261121t053000z-0a1b2c3d';
const second = (seconds: number) =>
  new Date(Date.parse('2026-11-21T05:30:00.000Z') + seconds * 1000).toISOString();

/** A sealed backup, and the run of a restore of it, 69 minutes after its snapshot. */
async function restoreOf(input: object = {}, backup: Parameters<typeof sampleBackup>[1] = {}) {
  const sample = await sampleVault(await folders());
  const manifest = await sampleBackup(sample, backup);
  const { sha256 } = await loadManifest(sample.deps, 'shop', manifest.backupId);
  const deps = {
    ...sample.deps,
    workspace: sample.workspace,
    now: () => new Date(second(60)),
    toolVersions: { holdfast: '0.2.0', node: '24.1.0' },
  };
  const run: RestoreRun = {
    runId,
    input: restoreInputSchema.parse({
      target: 'target',
      requestedBy: { user: 'ada', host: 'laptop' },
      ...input,
    }),
    startedAt: second(0),
    backup: {
      source: 'shop',
      backupId: manifest.backupId,
      manifestSha256: sha256,
      database: 'shop',
      snapshotAt: second(-4140),
      serverVersionNum: 180_002,
    },
    server: { host: 'db', port: 5432, version: '18.2', versionNum: 180_002 },
    workDatabase: 'shop_restore_x',
    finalDatabase: 'shop_restore_x',
    previousDatabase: null,
    preflight: [{ check: 'name-free', verdict: 'ok', message: 'free' }],
    estimate: { seconds: 9, rawBytes: 5_000, readBytes: 1_000 },
    units: 2,
    fence: 1,
  };
  const put = (key: string, value: unknown) => putJson(deps.workspace, key, value);
  const fact = (name: string, value: unknown) => put(workspaceKeys.restoreFact(runId, name), value);
  const part = (name: string, from: number, to: number) =>
    put(workspaceKeys.restorePhase(runId, name), { from: second(from), to: second(to) });
  return { deps, manifest, run, put, fact, part };
}

const compared = (table: string, rows: number, targetRows = rows) => ({
  table,
  rows,
  fingerprint: '0'.repeat(32),
  targetRows,
  targetFingerprint: '0'.repeat(32),
});

test('the report adds up what the states have written', async () => {
  const { deps, manifest, run, put, fact, part } = await restoreOf();
  for (const unit of [0, 1]) {
    await put(workspaceKeys.restorePart(runId, 'loaded', unit), {
      unit,
      rows: 10,
      rawBytes: 100,
      readBytes: 50 + unit,
    });
    await put(workspaceKeys.restorePart(runId, 'compared', unit), {
      tables: [compared(`public.t${unit}`, 7 + unit)],
      differences: [],
    });
  }
  await fact('comparison', {
    tables: [],
    differences: [{ kind: 'schema', object: 'v', left: 'a', right: 'b', isExpected: true }],
  });
  await fact(
    'safety-request',
    backupInputSchema.parse({ source: 'shop', requestedBy: { user: 'me', host: 'here' } }),
  );
  await fact('safety', { source: 'shop', backupId: 'shop-before' });
  await fact('cutover', { database: 'shop_restore_x', previousDatabase: null });
  await fact('warnings-create', [{ code: 'c', message: 'created oddly', hint: 'h' }]);
  await fact('warnings-build', [{ code: 'b', message: 'built oddly', hint: 'h' }]);
  await fact('checks', [{ name: 'sane', isPassed: true, expected: 't', got: 't', durationMs: 3 }]);
  await part('create', 1, 2);
  await part('load', 2, 20);
  await part('build', 15, 30);
  await part('cutover', 40, 41);

  const report = await writeRestoreReport(deps, run, { state: 'succeeded' });
  const definitions = manifest.schema.reduce((sum, { segment }) => sum + segment.storedBytes, 0);
  expect(report).toMatchObject({
    kind: 'restore',
    state: 'succeeded',
    verdict: 'identical',
    database: 'shop_restore_x',
    safetyBackupId: 'shop-before',
    tables: manifest.totals.tables,
    rows: 15,
    rawBytes: 200,
    readBytes: 101 + definitions,
    rtoMs: 41_000,
    rpoMs: 4_140_000,
    phases: { create: 1_000, load: 18_000, build: 15_000, cutover: 1_000 },
    warnings: [{ code: 'b' }, { code: 'c' }],
    checks: [{ name: 'sane' }],
    comparedTables: [{ table: 'public.t0' }, { table: 'public.t1' }],
    error: null,
  });
  expect(report.timeline.map(({ part: name }) => name)).toEqual([
    'create',
    'load',
    'build',
    'cutover',
  ]);
  expect(await readReport(deps, runId)).toEqual(report);
  const page = await deps.workspace.get(workspaceKeys.restorePage(runId));
  expect(Buffer.from(page?.body ?? '').toString()).toContain(run.backup.manifestSha256);
  expect(report.page).toBe(`${deps.workspace.location}/restores/${runId}/report.html`);
});

test('a restore that ended at once has a report too, and what it did not do is empty', async () => {
  const { deps, run } = await restoreOf();
  const error = { error: 'TargetFullError', message: 'No space left.', hint: 'Free some.' };
  const report = await writeRestoreReport(deps, run, { state: 'failed', error });
  expect(report).toMatchObject({
    state: 'failed',
    verdict: 'not-compared',
    database: null,
    ...{ tables: 0, rows: 0, readBytes: 0, rawBytes: 0 },
    timeline: [],
    error: { name: 'TargetFullError', message: 'No space left.', hint: 'Free some.' },
  });
  expect(await readRestoreOutcome(deps, runId)).toMatchObject({
    state: 'failed',
    finishedAt: second(60),
    error: { name: 'TargetFullError' },
  });
});

test('a second attempt says when it ended at first', async () => {
  const { deps, run } = await restoreOf();
  const first = await writeRestoreReport(deps, run, { state: 'succeeded' });
  const later = { ...deps, now: () => new Date(second(900)) };
  expect(await writeRestoreReport(later, run, { state: 'succeeded' })).toEqual(first);
});

test('a difference that is not expected is a verdict, before the comparison came to its end too', async () => {
  const { deps, run, put } = await restoreOf();
  await put(workspaceKeys.restorePart(runId, 'compared', 0), {
    tables: [compared('public.t', 2, 1)],
    differences: [{ kind: 'rows', object: 'public.t', left: '2', right: '1', isExpected: false }],
  });
  const error = { error: 'RestoreDifferentError', message: 'm', hint: 'h' };
  const report = await writeRestoreReport(deps, run, { state: 'failed', error });
  expect(report.verdict).toBe('different');
});

test('rows written into an existing database are counted as the merge wrote them', async () => {
  const { deps, run, fact } = await restoreOf({ mode: 'into', database: 'shop' });
  await fact('cutover', {
    database: 'shop',
    previousDatabase: null,
    merged: [
      { table: 'public.a', rows: 10, written: 4, different: 0, isNew: false },
      { table: 'public.b', rows: 3, written: 3, different: 0, isNew: true },
    ],
  });
  const report = await writeRestoreReport(deps, run, { state: 'succeeded' });
  expect(report).toMatchObject({ tables: 2, rows: 7, database: 'shop' });
});

test('a dry run is recorded as such', async () => {
  const { deps, run } = await restoreOf({ dryRun: true });
  const report = await writeRestoreReport(deps, run, { state: 'checked' });
  expect(report).toMatchObject({ kind: 'dry-run', state: 'checked', database: null, rows: 0 });
});

test('a restore that was rolled back says so, in its report and on its page', async () => {
  const { deps, run } = await restoreOf({ mode: 'swap' });
  await writeRestoreReport(deps, run, { state: 'succeeded' });
  await noteRolledBack(deps, runId);
  expect(await readReport(deps, runId)).toMatchObject({ state: 'rolled-back', database: null });
  const page = await deps.workspace.get(workspaceKeys.restorePage(runId));
  expect(Buffer.from(page?.body ?? '').toString()).toContain('<h1>Rolled back</h1>');
});

test('a password that a server quotes gets into no file', async () => {
  const { deps, run } = await restoreOf();
  const secret = 'hunter2secret';
  const report = await writeRestoreReport(deps, run, {
    state: 'failed',
    error: {
      error: 'RestoreStatementError',
      message: `CREATE USER MAPPING … password '${secret}' at postgresql://app:${secret}@db/shop`,
      hint: 'h',
      evidence: { troubles: [`could not reach postgresql://app:${secret}@db/shop`] },
    },
  });
  expect(JSON.stringify(report)).not.toContain(secret);
  const keys = [
    workspaceKeys.restorePage(runId),
    workspaceKeys.restoreReport(runId),
    workspaceKeys.restoreOutcome(runId),
  ];
  for (const key of keys) {
    const file = await deps.workspace.get(key);
    expect(Buffer.from(file?.body ?? '').toString()).not.toContain(secret);
  }
  expect(report.warnings).toMatchObject([{ code: 'left-behind' }]);
});

/** What is told of its duration when its report is written. */
async function durationsOf(input: object, backup: Parameters<typeof sampleBackup>[1] = {}) {
  const { deps, run, put } = await restoreOf(input, backup);
  await put(workspaceKeys.restore(runId), run);
  const told: unknown[] = [];
  const metric: Deps['metric'] = (...one) => void told.push(one);
  await reportRestore({ ...deps, metric } as unknown as Deps, { runId });
  return told;
}

test('a restore of a whole database tells how long a recovery takes', async () => {
  const told = [['RestoreDuration', 60_000, { source: 'shop' }]];
  expect(await durationsOf({})).toEqual(told);
  expect(await durationsOf({ mode: 'swap' })).toEqual(told);
});

test.each([
  ['a look at what would be', { dryRun: true }, {}],
  ['rows of a table', { mode: 'into', database: 'shop', selection: { tables: ['t'] } }, {}],
  ['a partial backup', {}, { scope: 'partial' }],
] as const)('a restore of %s tells nothing of it', async (_, input, backup) => {
  expect(await durationsOf(input, backup)).toEqual([]);
});
