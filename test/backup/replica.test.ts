import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { collect } from './harness.ts';
import { type KeptVault, keptVault, replicate, type Sealed } from './kept-vault.ts';

const folder = temporaryFolders();

let world: KeptVault;
let run: Sealed;
let root: string;
let deps: Deps;
let counted: string[];

/** A published backup, and a replica that has all of it but what the tests take away. */
beforeEach(async () => {
  world = await keptVault(await folder());
  run = await world.sealed('2026-11-21T03:00:00Z');
  const home = await folder();
  root = join(home, 'replica');
  counted = [];
  deps = {
    ...world.deps,
    replica: { vault: openDirectoryVault(root), keyRing: world.sample.keyRing },
    metric: (name, value, { source }) => {
      if (!name.startsWith('Backup')) counted.push(`${name} ${value} ${source}`);
    },
  };
  expect(await world.publish(run, deps)).toMatchObject({ hasReplica: true });
  await replicate(world, home);
});

const manifestKey = () => vaultKeys.manifest('shop', run.backupId);
const objectKey = (index: number) => run.manifest.objects[index]?.key ?? '';
const unit = (object: number) => handlers.ReplicateUnit(deps)({ runId: run.runId, object });
const allUnits = () => Promise.all(run.manifest.objects.map((_, object) => unit(object)));
const record = () => handlers.RecordReplica(deps)({ runId: run.runId });
const report = () => handlers.Report(deps)({ runId: run.runId });
const kinds = async () =>
  (await collect(readAllEvidence(deps, 'shop', run.backupId))).map(({ kind }) => kind);

/** As replication does it when it is done at last. */
async function arrive(key: string) {
  for (const path of [key, `.meta/${key}.json`]) {
    await cp(join(world.sample.root, path), join(root, path));
  }
}

describe('a replica that has everything', () => {
  it('is read back with its own key, and recorded, signed, once', async () => {
    expect(new Set((await allUnits()).map(({ verdict }) => verdict))).toEqual(new Set(['intact']));
    const objects = run.manifest.objects.length;
    expect(await record()).toEqual({ replica: 'replicated', objects });
    expect(await record()).toEqual({ replica: 'replicated', objects });
    const evidence = await collect(readAllEvidence(deps, 'shop', run.backupId));
    const replicated = evidence.filter(({ kind }) => kind === 'replicated');
    expect(replicated).toHaveLength(1);
    expect(replicated[0]?.facts).toMatchObject({
      ...{ objects, rows: run.manifest.totals.rows, replica: root, depth: 'full' },
    });
    expect(await report()).toMatchObject({ replica: 'replicated', tier: 'yearly' });
    expect(counted).toEqual([]);
  });

  it('gets the tags, locks and holds that lag behind, and none is shortened', async () => {
    const replica = openDirectoryVault(root);
    const key = objectKey(0);
    await replica.setTags(key, { 'holdfast-tier': 'staged' });
    await replica.setLegalHold(key, false);
    await replica.setRetainUntil(manifestKey(), new Date('2050-01-01T00:00:00Z'));
    await replica.setTags(manifestKey(), {});
    await allUnits();
    await record();
    const wanted = await deps.vault.head(key);
    expect(await replica.head(key)).toMatchObject({
      ...{ tags: { 'holdfast-tier': 'held' }, hasLegalHold: true },
      retainUntil: wanted.retainUntil,
    });
    expect(await replica.head(manifestKey())).toMatchObject({
      tags: { 'holdfast-tier': 'held' },
      retainUntil: new Date('2050-01-01T00:00:00Z'),
    });
  });
});

describe('a replica to which something has not come yet', () => {
  it('is behind, and is not when it has come', async () => {
    await rm(join(root, objectKey(1)));
    const error = { name: 'ReplicaBehindError', message: expect.stringContaining(objectKey(1)) };
    await expect(unit(1)).rejects.toMatchObject(error);
    await arrive(objectKey(1));
    expect(await unit(1)).toEqual({ of: expect.any(String), verdict: 'intact', problems: 0 });
  });

  it('is not waited for when it is late: looked at once, without a verdict', async () => {
    await rm(join(root, objectKey(1)));
    const late = { ...deps, now: () => new Date(deps.now().getTime() + 16 * 60_000) };
    const look = (object: number) => handlers.ReplicateUnit(late)({ runId: run.runId, object });
    expect(await look(1)).toEqual({ of: expect.any(String), verdict: 'behind', problems: 1 });
    expect(await look(0)).toMatchObject({ verdict: 'intact' });
    await allUnits().catch(() => undefined);
    expect(await record()).toMatchObject({ replica: 'behind' });
    // Whoever asks for it later, by hand, finds it when it has come.
    await arrive(objectKey(1));
    expect(await look(1)).toMatchObject({ verdict: 'intact' });
  });

  it('is told as behind in the report, counted, and no evidence says otherwise', async () => {
    await rm(join(root, objectKey(1)));
    await Promise.allSettled(run.manifest.objects.map((_, object) => unit(object)));
    expect(await record()).toMatchObject({ replica: 'behind' });
    expect(counted).toEqual(['ReplicaBehind 1 shop']);
    expect(await kinds()).not.toContain('replicated');
    expect(await report()).toMatchObject({
      ...{ state: 'published', replica: 'behind' },
      warnings: [
        { code: 'replica-behind', message: expect.stringContaining(`first: ${objectKey(1)}`) },
      ],
    });
    // It came, and somebody had it looked at again.
    await arrive(objectKey(1));
    await unit(1);
    expect(await record()).toMatchObject({ replica: 'replicated' });
  });

  it.each([
    ['manifest', manifestKey],
    ['signature', () => vaultKeys.signature('shop', run.backupId)],
    [
      'catalogue entry',
      () => vaultKeys.catalogue('shop', new Date('2026-11-21T03:00:00Z'), run.backupId),
    ],
  ])('is not recorded before the %s is there', async (_, key) => {
    await allUnits();
    await rm(join(root, key()));
    await expect(record()).rejects.toMatchObject({ name: 'ReplicaBehindError' });
    expect(await kinds()).not.toContain('replicated');
    // RecordReplica gave up: Report counts it.
    expect(await report()).toMatchObject({ replica: 'behind' });
    expect(counted).toEqual(['ReplicaBehind 1 shop']);
    await arrive(key());
    expect(await record()).toMatchObject({ replica: 'replicated' });
  });
});

describe('a replica that is another', () => {
  async function change(key: string) {
    const path = join(root, key);
    const bytes = await readFile(path);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }

  it('in a byte of an object is damaged, and the backup stays published', async () => {
    await change(objectKey(2));
    expect(await unit(2)).toMatchObject({ verdict: 'damaged' });
    await allUnits();
    expect(await record()).toMatchObject({ replica: 'damaged' });
    expect(counted).toEqual(['VerifyDamaged 1 shop']);
    expect(await kinds()).not.toContain('replicated');
    expect(await report()).toMatchObject({
      ...{ state: 'published', replica: 'damaged' },
      warnings: [{ code: 'replica-damaged' }],
    });
  });

  it('in its manifest is damaged', async () => {
    await allUnits();
    await change(manifestKey());
    expect(await record()).toMatchObject({ replica: 'damaged' });
    expect(await kinds()).not.toContain('replicated');
  });

  it('in the version of an object is damaged: replication keeps versions', async () => {
    const replica = openDirectoryVault(root);
    const key = objectKey(0);
    await replica.setLegalHold(key, false);
    await rm(join(root, key));
    await rm(join(root, '.meta', dirname(key)), { recursive: true });
    await replica.put(key, Buffer.from('somebody else wrote this'));
    expect(await unit(0)).toMatchObject({ verdict: 'damaged', problems: 1 });
  });
});

it('a run that has no replica never asks for one', async () => {
  const alone = await keptVault(await folder());
  const own = await alone.sealed('2026-11-21T03:00:00Z');
  expect(await alone.publish(own)).toMatchObject({ hasReplica: false });
  expect(await handlers.Report(alone.deps)({ runId: own.runId })).not.toHaveProperty('replica');
  await expect(
    handlers.ReplicateUnit(alone.deps)({ runId: own.runId, object: 0 }),
  ).rejects.toMatchObject({ name: 'InternalError' });
});
