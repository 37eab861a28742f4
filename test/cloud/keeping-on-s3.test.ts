/** Publish and the replica on S3 itself: tags, Object Lock and legal holds as a store keeps them, replication as it is. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import type { Deps } from '../../core/contract/deps.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { type KeptVault, keptOn, prove, type Sealed } from '../backup/kept-vault.ts';
import { sampleVault } from '../support/sample-backup.ts';
import { makeReplicatedBuckets, makeWorkspaceBucket } from './vault-buckets.ts';

let folder: string;
let world: KeptVault;
let buckets: Awaited<ReturnType<typeof makeReplicatedBuckets>>;
const runs: Sealed[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kept-'));
  const sample = await sampleVault(folder);
  buckets = await makeReplicatedBuckets();
  const vault = openS3Vault({ ...buckets.primary, lockMode: 'GOVERNANCE' });
  const workspace = openS3Workspace(await makeWorkspaceBucket());
  const replica = {
    vault: openS3Vault({ ...buckets.replica, lockMode: 'GOVERNANCE' }),
    keyRing: sample.keyRing,
  };
  const on = { ...sample, vault, workspace, deps: { ...sample.deps, vault } };
  world = keptOn(on, { minKeep: 2 }, { replica });
  for (const day of [21, 22, 23, 24]) {
    const run = await world.sealed(`2026-11-${day}T03:00:00Z`);
    await world.publish(run);
    if (day === 22) await prove(world, run.backupId);
    runs.push(run);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const seenAt = async (vault: Deps['vault']) =>
  Promise.all(
    runs.map(async ({ backupId }) => {
      const { tags, hasLegalHold } = await vault.head(vaultKeys.manifest('shop', backupId));
      return `${tags['holdfast-tier']} ${hasLegalHold ? 'held' : 'free'}`;
    }),
  );

it('promotes, locks, holds and releases, on both sides', async () => {
  const states = await Promise.all(runs.map(({ backupId }) => world.state(backupId)));
  expect(states.map(({ entryTier }) => entryTier)).toEqual(['yearly', 'daily', 'weekly', 'daily']);
  expect(states[0]?.objects).toEqual([
    'entry yearly, free',
    'yearly, 2033-11-26T03:00:00.000Z, free',
  ]);
  expect(states[3]?.objects).toEqual(['entry held, held', 'held, 2026-12-24T03:00:00.000Z, held']);
  const expected = ['yearly free', 'held held', 'held held', 'held held'];
  expect(await seenAt(world.deps.vault)).toEqual(expected);
  expect(await seenAt((world.deps.replica as NonNullable<Deps['replica']>).vault)).toEqual(
    expected,
  );
});

it('reads each copy back, heals what lags, and records the replica', async () => {
  const [run] = runs.slice(-1) as [Sealed];
  const key = run.manifest.objects[0]?.key ?? '';
  const { vault } = world.deps.replica as NonNullable<Deps['replica']>;
  await vault.setTags(key, { 'holdfast-tier': 'staged' });
  await vault.setLegalHold(key, false);
  for (const object of run.manifest.objects.keys()) {
    const verdict = await handlers.ReplicateUnit(world.deps)({ runId: run.runId, object });
    expect(verdict).toEqual({ of: expect.any(String), verdict: 'intact', problems: 0 });
  }
  expect(await handlers.RecordReplica(world.deps)({ runId: run.runId })).toMatchObject({
    replica: 'replicated',
  });
  expect(await vault.head(key)).toMatchObject({
    ...{ tags: { 'holdfast-tier': 'held' }, hasLegalHold: true },
    ...{ versionId: run.manifest.objects[0]?.versionId },
  });
});

it('is behind while a copy is missing', async () => {
  const [run] = runs as [Sealed];
  const Key = run.manifest.objects[1]?.key ?? '';
  // A delete marker: what is locked stays beneath it.
  await buckets.replica.s3.send(new DeleteObjectCommand({ Bucket: buckets.replica.bucket, Key }));
  await expect(
    handlers.ReplicateUnit(world.deps)({ runId: run.runId, object: 1 }),
  ).rejects.toMatchObject({ name: 'ReplicaBehindError' });
});
