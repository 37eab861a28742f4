import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  entryOf,
  listCatalogue,
  listedBackups,
  unlistedBackups,
} from '../../core/evidence/catalogue.ts';
import { readAllEvidence, readEvidence, writeEvidence } from '../../core/evidence/record.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { collect } from '../backup/harness.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const sample = await sampleVault(await folder());
const first = await sampleBackup(sample, { time: '2026-11-20T01:00:00Z', rows: 10 });
const second = await sampleBackup(sample, { time: '2026-11-21T01:00:00Z', rows: 10 });
const partial = await sampleBackup(sample, {
  time: '2026-11-22T01:00:00Z',
  rows: 10,
  scope: 'partial',
});
const named = (name: string) => expect.objectContaining({ name });
const input = {
  kind: 'verified',
  source: 'shop',
  backupId: first.backupId,
  by: { user: 'me', host: 'here' },
  manifestSha256: '0'.repeat(64),
  facts: { rows: 12 },
} as const;

it('reads back evidence as it was written, oldest first', async () => {
  const at = (time: string) => ({ ...sample.deps, now: () => new Date(time) });
  await writeEvidence(at('2026-11-23T00:00:01Z'), { ...input, kind: 'published' });
  await writeEvidence(at('2026-11-23T00:00:00Z'), input);
  const records = [];
  for await (const record of readAllEvidence(sample.deps, 'shop', first.backupId)) {
    records.push(record);
  }
  expect(records.map(({ kind }) => kind)).toEqual(['verified', 'published']);
  expect(records[0]).toMatchObject({ ...input, at: '2026-11-23T00:00:00.000Z' });
});

it('notices any byte of evidence that was changed', async () => {
  const key = await writeEvidence(sample.deps, { ...input, backupId: second.backupId });
  const path = join(sample.root, key);
  const good = await readFile(path);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ change;
        await writeFile(path, bad);
        const error = await readEvidence(sample.deps, key).catch((e: unknown) => e as Error);
        expect(['SignatureInvalidError', 'KeyMismatchError']).toContain((error as Error).name);
      },
    ),
    { numRuns: 300 },
  );
  await writeFile(path, good);
  await readEvidence(sample.deps, key);
});

it('does not take evidence of one backup for that of another', async () => {
  const key = await writeEvidence(sample.deps, { ...input, backupId: partial.backupId });
  const moved = key.replace(partial.backupId, second.backupId);
  await rename(join(sample.root, key), join(sample.root, moved));
  await expect(readEvidence(sample.deps, moved)).rejects.toEqual(named('SignatureInvalidError'));
});

it('lists the newest first, of one source or of all', async () => {
  const ids: string[] = [];
  for await (const { backupId } of listCatalogue(sample.vault)) ids.push(backupId);
  expect(ids).toEqual([partial.backupId, second.backupId, first.backupId]);
  for await (const entry of listCatalogue(sample.vault, { source: 'other' })) {
    expect.fail(entry.backupId);
  }
});

it('lists by the keys alone, with the times that they sort by', async () => {
  const listed = await listedBackups(sample.vault);
  const kept = listed.map(({ source, backupId, listedAt }) => [source, backupId, +listedAt]);
  const of = ({ backupId, snapshot }: typeof first) => [
    'shop',
    backupId,
    +new Date(snapshot.instant),
  ];
  expect(kept).toEqual([of(partial), of(second), of(first)]);
  expect(await listedBackups(sample.vault, 'other')).toEqual([]);
});

it('says what an entry says, and nothing of one that cannot be read', async () => {
  const other = await sampleVault(await folder());
  const { backupId } = await sampleBackup(other, { rows: 1 });
  const place = { source: 'shop', backupId };
  expect(await entryOf(other.vault, place)).toMatchObject(place);
  const [listed] = await listedBackups(other.vault);
  await writeFile(join(other.root, listed?.key ?? ''), '{');
  expect(await entryOf(other.vault, place)).toBeUndefined();
  await expect(collect(listCatalogue(other.vault))).rejects.toThrow(listed?.key);
  const damaged: string[] = [];
  const onDamaged = (key: string) => damaged.push(key);
  expect(await collect(listCatalogue(other.vault, { onDamaged }))).toEqual([]);
  expect(damaged).toEqual([listed?.key]);
});

it('reads a manifest once for many objects, and again when it shall', async () => {
  let reads = 0;
  const vault = Object.assign(Object.create(sample.vault), {
    location: sample.vault.location,
    get: (key: string) => {
      reads += Number(key.endsWith('manifest.json'));
      return sample.vault.get(key);
    },
  });
  const deps = { ...sample.deps, vault };
  const one = await loadManifest(deps, 'shop', first.backupId);
  expect(await loadManifest(deps, 'shop', first.backupId)).toBe(one);
  expect(reads).toBe(1);
  await loadManifest(deps, 'shop', first.backupId, { isFresh: true });
  expect(reads).toBe(2);
});

it('notices a published backup whose entry was taken away', async () => {
  const own = await sampleVault(await folder());
  const [kept, lost] = [
    await sampleBackup(own),
    await sampleBackup(own, { time: '2026-11-22T01:00:00Z' }),
  ];
  for (const { backupId } of [kept, lost]) {
    await writeEvidence(own.deps, { ...input, kind: 'published', backupId });
  }
  expect(await unlistedBackups(own.vault)).toEqual([]);
  for await (const { key } of own.vault.list('catalog/shop/')) {
    if (key.includes(lost.backupId)) await rm(join(own.root, key));
  }
  expect(await unlistedBackups(own.vault, { source: 'shop' })).toEqual([
    { source: 'shop', backupId: lost.backupId },
  ]);
  expect(await unlistedBackups(own.vault, { source: 'other' })).toEqual([]);
});
