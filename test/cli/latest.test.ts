/** `latest` means the same to every command: the newest whole backup that is no safety backup, by signed manifests. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { holdfast } from '../support/cli.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
let sample: SampleVault;
let meant: Manifest;
beforeAll(async () => {
  const folder = await folders();
  sample = await sampleVault(folder);
  await sampleBackup(sample, { time: '2026-11-19T01:00:00Z', rows: 5 });
  meant = await sampleBackup(sample, { time: '2026-11-20T01:00:00Z', rows: 5 });
  await sampleBackup(sample, { time: '2026-11-21T01:00:00Z', rows: 5, scope: 'partial' });
  await sampleBackup(sample, { time: '2026-11-22T01:00:00Z', rows: 5, tier: 'safety' });
  // That of a database of another name, which was replaced once, makes nothing doubtful.
  await sampleBackup(sample, { source: 'copy', rows: 5, tier: 'safety' });
});

const run = (...args: string[]) =>
  holdfast([...args, '--json'], {
    env: { HOLDFAST_VAULT: sample.root, HOLDFAST_KEY_FILE: sample.keyFile, HOME: sample.root },
  });

test('show, verify, compare', async () => {
  const { backupId } = meant;
  expect((await run('show')).json()).toMatchObject({ backupId });
  expect((await run('show', 'latest')).json()).toMatchObject({ backupId });
  expect((await run('verify')).json()).toMatchObject({ backupId, verdict: 'intact' });
  const compared = await run('compare', 'latest', backupId);
  const side = { kind: 'backup', name: expect.stringContaining(backupId) };
  expect(compared.json()).toMatchObject({ left: side, right: side, verdict: 'identical' });
});

test('verify says that it is damaged when its manifest cannot be trusted', async () => {
  const { backupId, source } = meant;
  await rm(join(sample.root, vaultKeys.signature(source.name, backupId)));
  const { code, json } = await run('verify', 'latest');
  expect(code).toBe(3);
  expect(json()).toMatchObject({ backupId, verdict: 'damaged' });
  const shown = await run('show', 'latest');
  expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining('SignatureInvalidError')]);
});
