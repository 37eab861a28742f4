import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { ErrorName } from '../../core/contract/errors.ts';
import { drillInputSchema, restoreReportSchema } from '../../core/contract/restore.ts';
import { concludeDrill } from '../../core/drill/conclude-drill.ts';
import { readDrill } from '../../core/drill/drill-record.ts';
import { planDrill } from '../../core/drill/plan-drill.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { causeOf, failureOf } from '../../core/run/failure.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { collect } from '../backup/harness.ts';
import { sampleReport } from '../report/sample-report.ts';
import { sharedSettings } from '../support/postgres.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
const runId = '20261121t053000z-0a1b2c3d';
const request = drillInputSchema.parse({
  target: 'scratch',
  requestedBy: { user: 'ada', host: 'laptop' },
  objectives: { rtoSeconds: 3600 },
});

async function drilled() {
  const sample = await sampleVault(await folders());
  const manifest = await sampleBackup(sample);
  const deps: Deps = {
    ...sample.deps,
    workspace: sample.workspace,
    connectionOf: async () => sharedSettings('postgres'),
    toolVersions: { holdfast: '0.2.0', node: '24.1.0' },
  };
  const verdicts = async () =>
    (await collect(readAllEvidence(deps, 'shop', manifest.backupId))).filter(
      ({ kind }) => kind === 'proven' || kind === 'damaged',
    );
  return { sample, manifest, deps, verdicts };
}

const caught = (name: ErrorName, message = 'It went wrong.') => ({
  Error: name,
  Cause: causeOf({ error: name, message, hint: 'Do this.', evidence: {} }),
});

const restored = (more: Parameters<typeof sampleReport>[0] = {}) =>
  restoreReportSchema.parse(sampleReport(more));

test('a drill is a restore of the one backup into a database of its own, the same at each attempt', async () => {
  const { deps, manifest } = await drilled();
  const first = await planDrill(deps, { runId, request });
  expect(first.restore).toMatchObject({
    mode: 'new',
    target: 'scratch',
    choice: { source: 'shop', backup: manifest.backupId },
    objectives: { rtoSeconds: 3600 },
    safetyBackup: true,
  });
  const { name } = manifest.inventory.database;
  expect(first.restore?.database).toMatch(new RegExp(`^${name}_drill_[0-9a-f]{8}$`));
  expect(await planDrill(deps, { runId, request })).toEqual(first);
  const other = await planDrill(deps, { runId: `${runId}-2`, request });
  expect(other.restore?.database).not.toBe(first.restore?.database);
});

test("a scheduled time that is delivered twice is one drill; another time, target or nobody's time is another", async () => {
  const { deps } = await drilled();
  const scheduledAt = '2026-11-21T04:00:00Z';
  const plan = (name: string, more: Partial<typeof request> & { scheduledAt?: string } = {}) =>
    planDrill(deps, { runId: name, request: { ...request, scheduledAt, ...more } });
  expect(await plan('first')).toMatchObject({ isDuplicate: false });
  const twice = await plan('second', { scheduledAt: '2026-11-21T04:00:00.000Z' });
  expect(twice).toEqual({ runId: 'second', isDuplicate: true, restore: null });
  expect(await readDrill(deps, 'second')).toBeUndefined();
  // Another attempt of the same run is no other run.
  expect(await plan('first')).toMatchObject({ isDuplicate: false });
  expect(await plan('later', { scheduledAt: '2026-11-28T04:00:00Z' })).toMatchObject({
    isDuplicate: false,
  });
  expect(await plan('elsewhere', { target: 'recovery' })).toMatchObject({ isDuplicate: false });
  expect(await planDrill(deps, { runId: 'by-hand', request })).toMatchObject({
    isDuplicate: false,
  });
});

test('identical: the backup is proven, once, however often it is concluded', async () => {
  const { deps, verdicts } = await drilled();
  await planDrill(deps, { runId, request });
  const conclusion = { runId, restore: restored(), error: null };
  const report = await concludeDrill(deps, conclusion);
  expect(report).toMatchObject({ runId, kind: 'drill', state: 'succeeded', database: null });
  expect(await concludeDrill(deps, conclusion)).toEqual(report);
  expect(await verdicts()).toMatchObject([
    {
      kind: 'proven',
      by: request.requestedBy,
      facts: {
        verdict: 'identical',
        rtoMs: 72_200,
        rows: 561_000,
        phases: { downloadAndLoad: 30_900, index: 20_600, verify: 19_900 },
      },
    },
  ]);
});

test.each<ErrorName>([
  'ObjectDamagedError',
  'ObjectNotFoundError',
  'ObjectTruncatedError',
  'DecryptionError',
  'RestoreDifferentError',
])('%s speaks against the backup', async (name) => {
  const { deps, verdicts } = await drilled();
  await planDrill(deps, { runId, request });
  const report = await concludeDrill(deps, { runId, restore: null, error: caught(name) });
  expect(report).toMatchObject({ state: 'failed', error: { name, message: 'It went wrong.' } });
  expect(await verdicts()).toMatchObject([{ kind: 'damaged', facts: { error: name } }]);
});

test.each<ErrorName>([
  'SourceUnreachableError',
  'TargetFullError',
  'PreflightFailedError',
  'CheckFailedError',
  'RunAbortedError',
  'TaskTimedOutError',
])('%s says nothing about the backup', async (name) => {
  const { deps, verdicts } = await drilled();
  await planDrill(deps, { runId, request });
  const report = await concludeDrill(deps, { runId, restore: null, error: caught(name) });
  expect(report).toMatchObject({ state: 'failed', verdict: 'not-compared', error: { name } });
  expect(await verdicts()).toEqual([]);
});

test('a restore that ends well without being identical proves nothing', async () => {
  const { deps, verdicts } = await drilled();
  await planDrill(deps, { runId, request });
  const restore = restored({ verdict: 'not-compared', comparedTables: [] });
  const report = await concludeDrill(deps, { runId, restore, error: null });
  expect(report).toMatchObject({ state: 'failed', error: { name: 'RestoreDifferentError' } });
  expect((await verdicts()).map(({ kind }) => kind)).not.toContain('proven');
});

test('a manifest whose signature is bad is damage, and is recorded without being believed', async () => {
  const { sample, deps, manifest, verdicts } = await drilled();
  const path = join(sample.root, vaultKeys.manifest('shop', manifest.backupId));
  await writeFile(path, JSON.stringify({ ...manifest, tier: 'yearly' }));
  const error = await planDrill(deps, { runId, request }).catch((thrown: unknown) => thrown);
  const failure = failureOf(error);
  expect(failure.error).toBe('SignatureInvalidError');
  const report = await concludeDrill(deps, {
    runId,
    restore: null,
    error: { Error: failure.error, Cause: causeOf(failure) },
  });
  expect(report).toMatchObject({ backupId: manifest.backupId, state: 'failed' });
  expect(await verdicts()).toMatchObject([
    { kind: 'damaged', manifestSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

test('a drill that found no backup ends with that error, is counted as failed, and leaves nothing', async () => {
  const { deps, verdicts } = await drilled();
  const wanted = { ...request, choice: { ...request.choice, backup: 'nosuch' } };
  const error = await planDrill(deps, { runId, request: wanted }).catch(
    (thrown: unknown) => thrown,
  );
  const failure = failureOf(error);
  const conclusion = {
    runId,
    restore: null,
    error: { Error: failure.error, Cause: causeOf(failure) },
  };
  const counted: unknown[] = [];
  const counting: Deps = { ...deps, metric: (...one) => counted.push(one) };
  await expect(concludeDrill(counting, conclusion)).rejects.toMatchObject({
    name: 'BackupNotFoundError',
    message: failure.message,
  });
  expect(await verdicts()).toEqual([]);
  const named = { ...wanted, choice: { ...wanted.choice, source: 'shop' } };
  await expect(concludeDrill(counting, { ...conclusion, request: named })).rejects.toThrow();
  expect(counted).toEqual([
    ['DrillFailed', 1, { source: 'unknown' }],
    ['DrillFailed', 1, { source: 'shop' }],
  ]);
});

test.each([
  ['latest', {}],
  ['the newest with a label', { labels: { team: 'a' } }],
])(
  'of %s it is the one that could not be opened that is damaged, and no newer safety backup',
  async (_, choice) => {
    const { sample, deps, verdicts } = await drilled();
    const day = (number: number) => `2026-11-${number}T01:00:00Z`;
    const labels = { team: 'a' };
    await sampleBackup(sample, { time: day(22), labels });
    const last = await sampleBackup(sample, { time: day(23), labels });
    const tier = 'safety';
    const safety = await sampleBackup(sample, { time: day(24), tier });
    const damage = (id: string) =>
      writeFile(join(sample.root, vaultKeys.signature('shop', id)), '{"algorithm":"Ed25519"}\n');
    await damage(last.backupId);
    // Not even what people read in the catalogue says which one it is.
    const key = vaultKeys.catalogue('shop', new Date(last.snapshot.instant), last.backupId);
    const entry = JSON.parse(await readFile(join(sample.root, key), 'utf8')) as object;
    await writeFile(
      join(sample.root, key),
      JSON.stringify({ ...entry, backupId: safety.backupId }),
    );
    const narrowed = drillInputSchema.parse({ ...request, choice });
    const error = await planDrill(deps, { runId, request: narrowed }).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'SignatureInvalidError' });
    const report = await concludeDrill(deps, {
      runId,
      restore: null,
      error: caught('SignatureInvalidError'),
    });
    expect(report).toMatchObject({ backupId: last.backupId, state: 'failed' });
    const of = async (id: string) =>
      (await collect(readAllEvidence(deps, 'shop', id))).filter(({ kind }) => kind === 'damaged');
    expect(await of(last.backupId)).toMatchObject([{ kind: 'damaged' }]);
    expect(await of(safety.backupId)).toEqual([]);
    expect(await verdicts()).toEqual([]);
  },
);
