import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EvidenceKind } from '../../core/contract/catalogue.ts';
import type { SourceStatus } from '../../core/contract/functions.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
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
  more: { readonly tier?: Manifest['tier']; readonly also?: readonly EvidenceKind[] } = {},
): Promise<string> {
  const time = new Date(Date.now() - hoursAgo * 3_600_000).toISOString();
  const { tier = 'manual', also = [] } = more;
  const { backupId } = await sampleBackup(sample, { source, time, rows: 2, tier });
  const { sha256: manifestSha256 } = await loadManifest(sample.deps, source, backupId);
  const by = { user: 'tester', host: 'here' };
  // As old as the backup, or a copy would always have its hour left.
  const deps = { ...sample.deps, now: () => new Date(time) };
  for (const kind of ['verified', 'published', ...also] as const) {
    await writeEvidence(deps, { kind, source, backupId, by, manifestSha256, facts: {} });
  }
  return backupId;
}

test('tells the ages of all sources; exit code 3 when one has no verified backup within --rpo', async () => {
  const sample = await sampleVault(await folders());
  await verifiedBackup(sample, 'shop', 2.1);
  await verifiedBackup(sample, 'orders', 50.1);

  const plain = await run(sample);
  expect(plain.code).toBe(0);
  expect(plain.stdout).toMatch(/SOURCE\s+SEALED\s+VERIFIED\s+PROVEN\s+RPO\s+NEWEST/);
  expect(plain.stdout).toMatch(/orders\s+2 d 2 h\s+2 d 2 h\s+never\s+-\s+orders-/);
  expect(plain.stdout).toMatch(/shop\s+2 h ([6-9]|1\d) min\s+2 h \1 min\s+never/);

  const late = await run(sample, '--rpo', '1d', '--json');
  expect(late.code).toBe(3);
  const [orders, shop] = late.json<SourceStatus[]>();
  expect(orders).toMatchObject({ source: 'orders', rpoSeconds: 86_400, isWithinRpo: false });
  expect(shop).toMatchObject({ source: 'shop', isWithinRpo: true, provenAgeSeconds: null });
  expect((await run(sample, '--rpo', '1d')).stdout).toMatch(/orders.*1 d NOT MET/);

  expect((await run(sample, '--rpo', '3d')).code).toBe(0);
  expect((await run(sample, '--rpo', '1d', '--source', 'shop')).code).toBe(0);
});

test('a backup for safety is not the newest: `latest` does not mean it', async () => {
  const sample = await sampleVault(await folders());
  const nightly = await verifiedBackup(sample, 'shop', 5.1);
  await verifiedBackup(sample, 'shop', 1.1, { tier: 'safety' });
  const [shop] = (await run(sample, '--json')).json<SourceStatus[]>();
  expect(shop).toMatchObject({ newest: nightly });
  expect(shop?.sealedAgeSeconds).toBeGreaterThan(5 * 3_600);
});

describe('with --env each source is measured against its objectives', () => {
  const connection = { secret: 'x/backup' };
  const daily = [{ tier: 'daily', at: 'cron(0 3 * * ? *)' }];
  const hourly = [{ tier: 'hourly', at: 'cron(0 * * * ? *)' }];
  const drill = { at: 'cron(0 6 ? * SUN *)', target: 'scratch' };
  const copied = { also: ['replicated', 'proven'] } as const;

  /** As deployed, but for the vault, which is a folder: what is promised is in the file alone. */
  async function deployed(sample: SampleVault, sources: readonly object[], replica?: string) {
    const environment = {
      ...{ name: 'prod', account: '123456789012' },
      regions: { primary: 'eu-central-1', ...(replica && { replica }) },
      sources: sources.map((source) => ({ connection, ...source })),
      targets: [{ name: 'scratch', connection }],
    };
    const file = join(sample.root, 'prod.json');
    await writeFile(file, JSON.stringify(environment));
    return (...args: string[]) => run(sample, '--vault', sample.root, '--env', file, ...args);
  }

  test('exit code 0 and what is promised, when all of it is kept', async () => {
    const sample = await sampleVault(await folders());
    await verifiedBackup(sample, 'shop', 2.1, copied);
    const objectives = { rpoHours: 26, rtoHours: 4 };
    const status = await deployed(sample, [{ name: 'shop', objectives, drill }], 'eu-west-1');
    const kept = await status();
    expect(kept, kept.stderr).toMatchObject({ code: 0 });
    expect(kept.stdout).toMatch(/SOURCE\s+SEALED\s+VERIFIED\s+REPLICATED\s+PROVEN\s+RPO\s+NEWEST/);
    expect(kept.stdout).toMatch(/shop(\s+2 h (?:[6-9]|1\d) min){4}\s+1 d 2 h met\s+shop-/);
    expect((await status('--json')).json()).toMatchObject([
      { rpoSeconds: 93_600, isWithinRpo: true, provenSeconds: 9 * 86_400, isProvenInTime: true },
    ]);
    // In the other Region a copy has an hour more, and no drills are promised.
    const there = (await status('--dr', '--json')).json();
    expect(there).toMatchObject([{ rpoSeconds: 97_200, provenSeconds: null }]);
    expect((await status('--rpo', '1h')).stdout).toContain('1 h NOT MET');
  });

  test.each([
    ['hourly backups are missed after 3 hours', { schedules: hourly }, 3.1, '3 h NOT MET'],
    ['daily ones after 30', { schedules: daily }, 30.1, '1 d 6 h NOT MET'],
    ['no drill has proven one', { drill }, 1, 'no drill has proven a backup of the last 9 d'],
    [
      'nor one that is recent',
      { drill, objectives: { rpoHours: 99, rtoHours: 4, provenDays: 2 } },
      50,
      'no drill has proven a backup of the last 2 d',
    ],
  ])('%s: exit code 3', async (_, source, hoursAgo, told) => {
    const sample = await sampleVault(await folders());
    await verifiedBackup(sample, 'shop', hoursAgo, { also: hoursAgo === 50 ? ['proven'] : [] });
    const status = await deployed(sample, [{ name: 'shop', ...source }]);
    const { code, stdout } = await status();
    expect(stdout).toContain(told);
    expect(stdout).not.toContain('REPLICATED');
    expect(code).toBe(3);
  });

  test('a copy that is behind, and a source without any backup, are none either', async () => {
    const sample = await sampleVault(await folders());
    await verifiedBackup(sample, 'shop', 1.1);
    const behind = await (await deployed(sample, [{ name: 'shop' }], 'eu-west-1'))();
    expect(behind.stdout).toContain('! shop: the newest backup has no copy in the other Region');
    expect(behind.code).toBe(3);
    const status = await deployed(sample, [{ name: 'shop' }, { name: 'void', schedules: daily }]);
    const { code, stdout } = await status();
    expect(stdout).toMatch(/void\s+never\s+never\s+never\s+1 d 6 h NOT MET/);
    expect(code).toBe(3);
  });

  test('nothing is promised of what has neither objectives nor schedules; a misspelt source is wrong use', async () => {
    const sample = await sampleVault(await folders());
    await verifiedBackup(sample, 'retired', 900);
    const status = await deployed(sample, [{ name: 'shop' }]);
    expect(await status()).toMatchObject({ code: 0 });
    expect(await status('--source', 'retired')).toMatchObject({ code: 0 });
    const misspelt = await status('--source', 'shoop');
    expect(misspelt).toMatchObject({ code: 2, stderr: expect.stringContaining('"shoop"') });
  });
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
