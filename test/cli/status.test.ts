import { expect, test } from 'vitest';
import type { SourceStatus } from '../../core/contract/functions.ts';
import { writeEvidence } from '../../core/evidence/record.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { holdfast } from '../support/cli.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();

const run = (sample: SampleVault, ...args: string[]) =>
  holdfast(['status', ...args], {
    env: { HOLDFAST_VAULT: sample.root, HOLDFAST_KEY_FILE: sample.keyFile, HOME: sample.root },
  });

async function verifiedBackup(
  sample: SampleVault,
  source: string,
  hoursAgo: number,
): Promise<void> {
  const time = new Date(Date.now() - hoursAgo * 3_600_000).toISOString();
  const { backupId } = await sampleBackup(sample, { source, time, rows: 2 });
  const { sha256: manifestSha256 } = await loadManifest(sample.deps, source, backupId);
  const by = { user: 'tester', host: 'here' };
  for (const kind of ['verified', 'published'] as const) {
    await writeEvidence(sample.deps, { kind, source, backupId, by, manifestSha256, facts: {} });
  }
}

test('tells the ages of all sources; exit code 3 when one has no verified backup within --rpo', async () => {
  const sample = await sampleVault(await folders());
  await verifiedBackup(sample, 'shop', 2.1);
  await verifiedBackup(sample, 'orders', 50.1);

  const plain = await run(sample);
  expect(plain.code).toBe(0);
  expect(plain.stdout).toMatch(/SOURCE\s+SEALED\s+VERIFIED\s+PROVEN\s+RPO\s+NEWEST/);
  expect(plain.stdout).toMatch(/orders\s+2 d 2 h\s+2 d 2 h\s+never\s+-\s+orders-/);
  expect(plain.stdout).toMatch(/shop\s+2 h 6 min\s+2 h 6 min\s+never/);

  const late = await run(sample, '--rpo', '1d', '--json');
  expect(late.code).toBe(3);
  const [orders, shop] = late.json<SourceStatus[]>();
  expect(orders).toMatchObject({ source: 'orders', rpoSeconds: 86_400, isWithinRpo: false });
  expect(shop).toMatchObject({ source: 'shop', isWithinRpo: true, provenAgeSeconds: null });
  expect((await run(sample, '--rpo', '1d')).stdout).toMatch(/orders.*1 d NOT MET/);

  expect((await run(sample, '--rpo', '3d')).code).toBe(0);
  expect((await run(sample, '--rpo', '1d', '--source', 'shop')).code).toBe(0);
});

test('a vault without a backup keeps no promise, and a source that has none neither', async () => {
  const sample = await sampleVault(await folders());
  const none = await run(sample);
  expect([none.code, none.stdout]).toEqual([0, 'There is no backup in this vault yet.\n']);
  expect((await run(sample, '--rpo', '24h')).code).toBe(3);
  expect((await run(sample, '--rpo', '24h', '--source', 'void')).code).toBe(3);
});

test('a time that is none is wrong use', async () => {
  const sample = await sampleVault(await folders());
  for (const rpo of ['24', '0h', 'soon', '-1h']) {
    const { code, stderr } = await run(sample, `--rpo=${rpo}`);
    expect(code).toBe(2);
    expect(stderr).toContain(`--rpo "${rpo}" is not a time`);
  }
});
