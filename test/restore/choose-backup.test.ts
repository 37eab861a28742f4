import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { choiceSchema } from '../../core/contract/restore.ts';
import { chooseBackup, placeOfChoice } from '../../core/restore/choose-backup.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
let sample: SampleVault;
let [old, release, newest, partial]: Manifest[] = [];

beforeAll(async () => {
  sample = await sampleVault(await folder());
  old = await sampleBackup(sample, { time: '2026-11-19T01:00:00Z', rows: 5 });
  release = await sampleBackup(sample, {
    time: '2026-11-20T01:00:00Z',
    rows: 5,
    labels: { release: '1.2', team: 'a' },
  });
  newest = await sampleBackup(sample, { time: '2026-11-21T01:00:00Z', rows: 5 });
  partial = await sampleBackup(sample, {
    time: '2026-11-22T01:00:00Z',
    rows: 5,
    scope: 'partial',
    labels: { release: '1.3' },
  });
});

const choose = async (choice: object, from = sample): Promise<string> =>
  (await chooseBackup(from.deps, choiceSchema.parse(choice))).manifest.backupId;
const refusal = async (choice: object, from = sample): Promise<HoldfastError> => {
  const chosen = await choose(choice, from).catch((error: unknown) => error);
  expect(chosen, `chose ${String(chosen)}`).toBeInstanceOf(Error);
  return chosen as HoldfastError;
};
const entryPath = (of: SampleVault, { source, snapshot, backupId }: Manifest) =>
  join(of.root, vaultKeys.catalogue(source.name, new Date(snapshot.instant), backupId));

describe('choosing', () => {
  it('takes the newest full backup when nothing is said', async () => {
    expect(await choose({})).toBe(newest?.backupId);
  });

  it('takes an id, or the only one that begins so, and a partial one when it is named', async () => {
    expect(await choose({ backup: old?.backupId })).toBe(old?.backupId);
    expect(await choose({ backup: 'shop-20261120' })).toBe(release?.backupId);
    expect(await choose({ backup: 'shop-20261122' })).toBe(partial?.backupId);
  });

  it('takes the newest at or before a time, to the millisecond and in any time zone', async () => {
    expect(await choose({ at: '2026-11-20T01:00:00Z' })).toBe(release?.backupId);
    expect(await choose({ at: '2026-11-20T00:59:59.999Z' })).toBe(old?.backupId);
    expect(await choose({ at: '2026-11-20T02:00:00+01:00' })).toBe(release?.backupId);
  });

  it('takes the newest full one that has all labels', async () => {
    expect(await choose({ labels: { release: '1.2', team: 'a' } })).toBe(release?.backupId);
    const error = await refusal({ labels: { release: '1.2', team: 'b' } });
    expect(error.name).toBe('BackupNotFoundError');
    expect(error.message).toContain('labelled team=b');
  });

  it('a safety backup is no "latest": it is of what a restore was to replace', async () => {
    const of = await sampleVault(await folder());
    const good = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const labels = { restore: 'r1' };
    const time = '2026-11-21T01:00:00Z';
    const safety = await sampleBackup(of, { time, rows: 5, tier: 'safety', labels });
    expect(await choose({}, of)).toBe(good.backupId);
    expect(await choose({ backup: safety.backupId }, of)).toBe(safety.backupId);
    expect(await choose({ labels }, of)).toBe(safety.backupId);
    expect(await choose({ at: time }, of)).toBe(safety.backupId);
    // Nor does one of another database make it doubtful which source is meant.
    await sampleBackup(of, { source: 'copy', rows: 5, tier: 'safety' });
    expect(await choose({}, of)).toBe(good.backupId);
  });

  it('names what is near when there is none', async () => {
    const byId = await refusal({ backup: 'shop-20261121T0100x' });
    expect([byId.name, byId.hint]).toEqual([
      'BackupNotFoundError',
      expect.stringContaining(newest?.backupId ?? ''),
    ]);
    const early = await refusal({ at: '2026-01-01T00:00:00Z' });
    expect(early.name).toBe('BackupNotFoundError');
    // The oldest is the nearest.
    expect(early.hint).toMatch(`There is: ${old?.backupId}`);
    const onlyPartial = await refusal({ labels: { release: '1.3' } });
    expect(onlyPartial.hint).toContain(`${partial?.backupId} (partial)`);
    expect((await refusal({ source: 'other' })).hint).toContain('The list is empty');
  });

  it('refuses a beginning that several ids have, and an id that does not fit the rest', async () => {
    expect((await refusal({ backup: 'shop-202611' })).name).toBe('UsageError');
    const late = await refusal({ backup: newest?.backupId, at: '2026-11-20T01:00:00Z' });
    expect([late.name, late.message]).toEqual([
      'UsageError',
      expect.stringContaining('after 2026-11-20'),
    ]);
  });

  it('asks for the source when "latest" could be of several', async () => {
    const two = await sampleVault(await folder());
    await sampleBackup(two, { source: 'shop', rows: 5 });
    const other = await sampleBackup(two, { source: 'crm', rows: 5, labels: { of: 'crm' } });
    const error = await refusal({}, two);
    expect([error.name, error.message]).toEqual(['UsageError', expect.stringMatching(/crm/)]);
    expect(error.hint).toContain('--source');
    expect(await choose({ source: 'crm' }, two)).toBe(other.backupId);
    expect(await choose({ labels: { of: 'crm' } }, two)).toBe(other.backupId);
  });
});

describe('what is not signed is not believed', () => {
  const rewrite = async (of: SampleVault, manifest: Manifest, change: object) => {
    const path = entryPath(of, manifest);
    const entry = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...entry, ...change }));
  };

  it('an entry that calls a partial backup full does not make it "latest"', async () => {
    const of = await sampleVault(await folder());
    const full = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const forged = await sampleBackup(of, {
      time: '2026-11-21T01:00:00Z',
      rows: 5,
      scope: 'partial',
    });
    await rewrite(of, forged, { scope: 'full' });
    expect(await choose({}, of)).toBe(full.backupId);
  });

  it('an entry that calls the newest full backup partial does not bring an older one', async () => {
    const of = await sampleVault(await folder());
    await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const last = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    await rewrite(of, last, { scope: 'partial' });
    const chosen = await chooseBackup(of.deps, choiceSchema.parse({}));
    expect(chosen.entry).toMatchObject({ backupId: last.backupId, scope: 'full' });
  });

  it('an entry that cannot be read hides no backup', async () => {
    const of = await sampleVault(await folder());
    await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const last = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    await writeFile(entryPath(of, last), '{');
    expect(await choose({}, of)).toBe(last.backupId);
    expect(await choose({ backup: last.backupId }, of)).toBe(last.backupId);
  });

  it.each([
    ['scope', {}, { scope: 'partial' }],
    ['tier', {}, { tier: 'safety' }],
    ['labels', { labels: { release: '2' } }, { labels: {} }],
    ['time', { at: '2026-11-21T02:00:00Z' }, { snapshotAt: '2027-01-01T00:00:00.000Z' }],
    ['source', { source: 'shop' }, { source: 'crm' }],
  ])('an entry that lies about its %s hides no backup', async (_, choice, lie) => {
    const of = await sampleVault(await folder());
    const labels = { release: '2' };
    await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5, labels });
    const last = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5, labels });
    await rewrite(of, last, lie);
    expect(await choose(choice, of)).toBe(last.backupId);
  });

  it('a safety backup whose entry calls it a manual one is no "latest"', async () => {
    const of = await sampleVault(await folder());
    const good = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const safety = await sampleBackup(of, {
      time: '2026-11-21T01:00:00Z',
      rows: 5,
      tier: 'safety',
    });
    await rewrite(of, safety, { tier: 'manual' });
    expect(await choose({}, of)).toBe(good.backupId);
  });

  it('an older backup under a newer time is refused, and can be named', async () => {
    const of = await sampleVault(await folder());
    const first = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    const later = vaultKeys.catalogue('shop', new Date('2026-11-25T00:00:00Z'), first.backupId);
    await rename(entryPath(of, first), join(of.root, later));
    const error = await refusal({}, of);
    expect([error.name, error.message]).toEqual([
      'SignatureInvalidError',
      expect.stringContaining(`lists ${first.backupId} under 2026-11-25T00:00:00.000Z`),
    ]);
    expect(await choose({ backup: first.backupId }, of)).toBe(first.backupId);
  });

  it('opens one manifest for "latest", however many there are', async () => {
    let opened = 0;
    const vault = Object.assign(Object.create(sample.vault), {
      location: `${sample.vault.location}?counted`,
      list: (prefix: string) => sample.vault.list(prefix),
      get: (key: string) => {
        expect(key).not.toContain('catalog/');
        opened += Number(key.endsWith('manifest.json'));
        return sample.vault.get(key);
      },
    });
    const of = { ...sample, deps: { ...sample.deps, vault } };
    expect(await choose({}, of)).toBe(newest?.backupId);
    // The partial one that is newer, and the newest full one.
    expect(opened).toBe(2);
  });

  it("a broken one that was begun after the time that is asked for is in nobody's way", async () => {
    const of = await sampleVault(await folder());
    const good = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const last = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    await rm(join(of.root, vaultKeys.signature('shop', last.backupId)));
    expect(await choose({ at: '2026-11-20T02:00:00Z' }, of)).toBe(good.backupId);
    expect((await refusal({}, of)).name).toBe('SignatureInvalidError');
  });

  it('what a person was shown is taken, whatever is newer by now', async () => {
    expect(await choose({ meant: release?.backupId })).toBe(release?.backupId);
    const other = { meant: release?.backupId, labels: { team: 'b' } };
    expect((await refusal(other)).name).toBe('UsageError');
  });

  it('a newest backup with a broken signature is an error and not an older backup', async () => {
    const of = await sampleVault(await folder());
    await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const last = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    const path = join(of.root, vaultKeys.manifest('shop', last.backupId));
    await writeFile(path, (await readFile(path, 'utf8')).replace('"rows":', '"rows" :'));
    const error = await refusal({}, of);
    expect(error.name).toBe('SignatureInvalidError');
    const place = { source: 'shop', backupId: last.backupId };
    expect(error.evidence).toMatchObject(place);
    // Those who judge it themselves learn which one it is.
    expect(await placeOfChoice(of.deps, choiceSchema.parse({}))).toEqual(place);
  });

  it('what was damaged or lost after this process has read it is refused, not remembered', async () => {
    const of = await sampleVault(await folder());
    const { backupId } = await sampleBackup(of, { rows: 5 });
    expect(await choose({ backup: backupId }, of)).toBe(backupId);
    const path = join(of.root, vaultKeys.manifest('shop', backupId));
    await writeFile(path, `${await readFile(path, 'utf8')} `);
    expect((await refusal({ backup: backupId }, of)).name).toBe('SignatureInvalidError');
    await rm(path);
    expect((await refusal({ backup: backupId }, of)).name).toBe('BackupNotFoundError');
  });
});

describe('a backup that is not in the catalogue', () => {
  it('says that it was sealed and never published', async () => {
    const of = await sampleVault(await folder());
    const sealed = await sampleBackup(of, { rows: 5 });
    await rename(entryPath(of, sealed), join(of.root, 'away'));
    const error = await refusal({ backup: sealed.backupId }, of);
    expect([error.name, error.message]).toEqual([
      'BackupNotFoundError',
      expect.stringContaining('never published'),
    ]);
  });

  it('says that it is unsealed, found by the beginning of its id', async () => {
    const of = await sampleVault(await folder());
    const other = await sampleBackup(of, { time: '2026-11-20T01:00:00Z', rows: 5 });
    const unsealed = await sampleBackup(of, { time: '2026-11-21T01:00:00Z', rows: 5 });
    await rm(entryPath(of, unsealed));
    await rm(join(of.root, vaultKeys.manifest('shop', unsealed.backupId)));
    const error = await refusal({ backup: 'shop-20261121T' }, of);
    expect(error.name).toBe('BackupNotFoundError');
    expect(error.message).toContain(`${unsealed.backupId} is unsealed`);
    expect(error.hint).toContain(other.backupId);
  });
});
