/** What the sentinel says of vaults with real signed manifests and records, by a clock that the test holds. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EvidenceKind } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { writeEvidence } from '../../core/evidence/record.ts';
import { watchSources } from '../../core/sentinel/sentinel.ts';
import { sourceStatus } from '../../core/sentinel/source-status.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
const by = { user: 'tester', host: 'here' };
const now = new Date('2026-11-21T12:00:00Z');
const hours = (count: number) => count * 3_600;
const ago = (count: number) => new Date(now.getTime() - hours(count) * 1000);
const plain = { rpoSeconds: null, hasReplica: false };

let sample: SampleVault;
beforeEach(async () => {
  sample = await sampleVault(await folders());
});
const deps = () => ({ ...sample.deps, now: () => now });

/** A backup so many hours old with evidence, each record as many hours old as said. */
async function backup(
  hoursAgo: number,
  evidence: Partial<Record<EvidenceKind, number>>,
  more: Parameters<typeof sampleBackup>[1] = {},
): Promise<Manifest> {
  const manifest = await sampleBackup(sample, {
    time: ago(hoursAgo).toISOString(),
    rows: 2,
    ...more,
  });
  for (const [kind, at] of Object.entries(evidence))
    await record(manifest, kind as EvidenceKind, at);
  return manifest;
}

async function record({ source, backupId }: Manifest, kind: EvidenceKind, hoursAgo: number) {
  const { sha256 } = await loadManifest(sample.deps, source.name, backupId);
  const at = { ...sample.deps, now: () => ago(hoursAgo) };
  const about = { source: source.name, backupId, manifestSha256: sha256 };
  return writeEvidence(at, { kind, ...about, by, facts: {} });
}

const unlist = async ({ source, backupId, snapshot }: Manifest) =>
  sample.vault.delete(vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId));

describe('the ages of a source', () => {
  it('are those of the snapshots of the newest backup that is verified, replicated, proven', async () => {
    await backup(50, { verified: 49, published: 49, replicated: 48, proven: 30 });
    await backup(26, { verified: 25, published: 25, replicated: 24 });
    const newest = await backup(2, { verified: 1, published: 1 });
    const status = await sourceStatus(deps(), 'shop', { rpoSeconds: hours(3), hasReplica: true });
    expect(status).toEqual({
      source: 'shop',
      newest: newest.backupId,
      sealedAgeSeconds: hours(2),
      verifiedAgeSeconds: hours(2),
      replicatedAgeSeconds: hours(26),
      provenAgeSeconds: hours(50),
      rpoSeconds: hours(3),
      isWithinRpo: true,
      isReplicaBehind: false,
      unpublished: [],
      problems: [],
    });
  });

  it('are of whole backups only, and none that was taken for safety', async () => {
    const whole = { verified: 1, published: 1 };
    const { backupId } = await backup(30, whole);
    await backup(3, whole, { scope: 'partial' });
    await backup(2, whole, { tier: 'safety' });
    const status = await sourceStatus(deps(), 'shop', { ...plain, rpoSeconds: hours(24) });
    const ages = { sealedAgeSeconds: hours(30), isWithinRpo: false };
    expect(status).toMatchObject({ newest: backupId, ...ages });
  });

  it('are null where there is nothing, and then no promise is kept', async () => {
    const status = await sourceStatus(deps(), 'shop', { rpoSeconds: hours(24), hasReplica: true });
    expect(status).toMatchObject({
      ...{ newest: null, sealedAgeSeconds: null, verifiedAgeSeconds: null },
      ...{ provenAgeSeconds: null, isWithinRpo: false, isReplicaBehind: false },
    });
  });

  it('do not count a backup that was found damaged, until it is found good again', async () => {
    await backup(30, { verified: 29, published: 29 });
    const newer = await backup(5, { verified: 4, published: 4, damaged: 2 });
    const damaged = await sourceStatus(deps(), 'shop', plain);
    expect(damaged).toMatchObject({ sealedAgeSeconds: hours(30), verifiedAgeSeconds: hours(30) });
    expect(damaged.problems).toEqual([
      expect.stringContaining(`${newer.backupId} was found damaged`),
    ]);
    await record(newer, 'proven', 1);
    const good = await sourceStatus(deps(), 'shop', plain);
    expect(good).toMatchObject({
      verifiedAgeSeconds: hours(5),
      provenAgeSeconds: hours(5),
      problems: [],
    });
  });
});

describe('what is not signed counts for nothing, and is told', () => {
  it('a record that was changed', async () => {
    await backup(30, { verified: 29 });
    const newer = await backup(5, {});
    const key = await record(newer, 'verified', 4);
    const text = Buffer.from(await sample.vault.get(key)).toString();
    const file = join(sample.root, key);
    await rm(file);
    await writeFile(file, text.replace('verified', 'verifiee'));
    const status = await sourceStatus(deps(), 'shop', plain);
    expect(status.verifiedAgeSeconds).toBe(hours(30));
    expect(status.problems.join()).toContain(key);
  });

  it('a record of another manifest', async () => {
    const manifest = await backup(5, {});
    const about = { source: 'shop', backupId: manifest.backupId, manifestSha256: 'f'.repeat(64) };
    await writeEvidence(deps(), { kind: 'verified', ...about, by, facts: {} });
    const status = await sourceStatus(deps(), 'shop', plain);
    expect(status).toMatchObject({ sealedAgeSeconds: hours(5), verifiedAgeSeconds: null });
  });

  it('a manifest without its signature', async () => {
    await backup(30, { verified: 29 });
    const newer = await backup(5, { verified: 4 });
    await rm(join(sample.root, vaultKeys.signature('shop', newer.backupId)));
    const status = await sourceStatus(deps(), 'shop', plain);
    expect(status).toMatchObject({ sealedAgeSeconds: hours(30), verifiedAgeSeconds: hours(30) });
    expect(status.problems.join()).toContain(newer.backupId);
  });
});

describe('a replica', () => {
  const options = { rpoSeconds: null, hasReplica: true };
  it('has an hour to follow', async () => {
    await backup(26, { published: 25, replicated: 24 });
    const newer = await backup(2, { published: 0.9 });
    expect((await sourceStatus(deps(), 'shop', options)).isReplicaBehind).toBe(false);
    const later = { ...sample.deps, now: () => new Date(now.getTime() + hours(0.2) * 1000) };
    expect((await sourceStatus(later, 'shop', options)).isReplicaBehind).toBe(true);
    await record(newer, 'replicated', 0);
    expect((await sourceStatus(later, 'shop', options)).isReplicaBehind).toBe(false);
  });

  it('is behind although the very newest has its hour left', async () => {
    await backup(5, { published: 4 });
    await backup(1, { published: 0.5 });
    expect((await sourceStatus(deps(), 'shop', options)).isReplicaBehind).toBe(true);
  });
});

describe('a backup that is sealed and not published', () => {
  it('is told after six hours; it counts as sealed and nothing more', async () => {
    const [old, young] = [await backup(8, { verified: 7 }), await backup(5, {})];
    for (const manifest of [old, young]) await unlist(manifest);
    const status = await sourceStatus(deps(), 'shop', plain);
    expect(status).toMatchObject({
      ...{ newest: null, sealedAgeSeconds: hours(5), verifiedAgeSeconds: null },
      unpublished: [old.backupId],
    });
  });

  it('keeps no promise, verified or copied or not: it cannot be restored', async () => {
    const listed = await backup(50, { verified: 49, published: 49, replicated: 49, proven: 48 });
    const failed = await backup(2, { verified: 1, published: 1, replicated: 1, proven: 1 });
    await unlist(failed);
    const status = await sourceStatus(deps(), 'shop', { rpoSeconds: hours(26), hasReplica: true });
    expect(status).toMatchObject({
      ...{ newest: listed.backupId, sealedAgeSeconds: hours(2), isWithinRpo: false },
      ...{ verifiedAgeSeconds: hours(50), replicatedAgeSeconds: hours(50) },
      provenAgeSeconds: hours(50),
    });
  });

  it('is not told when it was never sealed: a run may be at it', async () => {
    const manifest = await backup(8, {});
    await unlist(manifest);
    await rm(join(sample.root, vaultKeys.signature('shop', manifest.backupId)));
    await rm(join(sample.root, vaultKeys.manifest('shop', manifest.backupId)));
    const status = await sourceStatus(deps(), 'shop', plain);
    expect(status).toMatchObject({ unpublished: [], sealedAgeSeconds: null, problems: [] });
  });
});

describe('the sentinel', () => {
  interface Told {
    readonly name: string;
    readonly value: number;
    readonly source: string | undefined;
  }
  async function watch(more: Partial<Deps>): Promise<{ told: Told[]; output: unknown }> {
    const told: Told[] = [];
    const metric: NonNullable<Deps['metric']> = (name, value, { source }) =>
      told.push({ name, value, source });
    const all = { ...deps(), workspace: sample.workspace, metric, ...more } as unknown as Deps;
    return { told, output: await watchSources(all) };
  }

  it('tells the ages of every source as metrics, and of none what is not known', async () => {
    await backup(2, { verified: 1, published: 1 });
    await backup(9, { verified: 8, published: 8, proven: 7 }, { source: 'orders' });
    const { told, output } = await watch({ sourceNames: async () => ['orders', 'shop', 'void'] });
    // Sources are looked at beside each other.
    expect(told.toSorted((a, b) => String(a.source).localeCompare(String(b.source)))).toEqual([
      { name: 'SealedAge', value: hours(9), source: 'orders' },
      { name: 'VerifiedAge', value: hours(9), source: 'orders' },
      { name: 'ProvenAge', value: hours(9), source: 'orders' },
      { name: 'SealedAge', value: hours(2), source: 'shop' },
      { name: 'VerifiedAge', value: hours(2), source: 'shop' },
    ]);
    expect(output).toMatchObject({
      at: now.toISOString(),
      sources: [{ source: 'orders' }, { source: 'shop' }, { source: 'void', newest: null }],
    });
  });

  it('measures against the RPO of the source, and tells of a replica that is behind', async () => {
    await backup(5, { verified: 4, published: 4 });
    const sourceOf = async () => ({ objectives: { rpoHours: 1, rtoHours: 1 } });
    const replica = { vault: sample.vault, keyRing: sample.keyRing };
    const { told, output } = await watch({ sourceOf, replica } as unknown as Partial<Deps>);
    expect(output).toMatchObject({ sources: [{ rpoSeconds: hours(1), isWithinRpo: false }] });
    expect(told).toContainEqual({ name: 'ReplicaBehind', value: 1, source: 'shop' });
  });

  it('lists records of the backups that it asks about, not all that the source ever had', async () => {
    const { backupId } = await backup(5, { verified: 4, published: 4 });
    const { vault } = sample;
    const list = vault.list.bind(vault);
    const listed: string[] = [];
    vault.list = (prefix, options) => {
      listed.push(prefix);
      return list(prefix, options);
    };
    await watch({});
    const ofEvidence = listed.filter((prefix) => prefix.startsWith('evidence/'));
    expect(ofEvidence).toEqual([`evidence/shop/${backupId}/`]);
  });

  it('looks at all sources and then ends with the error of the one that it could not look at', async () => {
    await backup(2, { verified: 1 }, { source: 'works' });
    const told: Told[] = [];
    const { vault } = sample;
    const list = vault.list.bind(vault);
    vault.list = (prefix, options) => {
      if (prefix.includes('denied')) throw new Error('denied');
      return list(prefix, options);
    };
    const metric: NonNullable<Deps['metric']> = (name, value, { source }) =>
      told.push({ name, value, source });
    const sourceNames = async () => ['denied', 'works'];
    const all = { ...deps(), metric, sourceNames } as unknown as Deps;
    await expect(watchSources(all)).rejects.toThrow('denied');
    expect(told.map(({ source }) => source)).toEqual(['works', 'works']);
  });
});
