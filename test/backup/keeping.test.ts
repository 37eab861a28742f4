import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeEvidence } from '../../core/evidence/record.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { collect } from './harness.ts';
import { by, type KeptVault, keptVault, prove, type SealedOptions } from './kept-vault.ts';

const folder = temporaryFolders();

/** Published one after the other, at 03:00 of days of November 2026. */
async function published(world: KeptVault, days: readonly number[], options?: SealedOptions) {
  const ids: string[] = [];
  for (const day of days) {
    const run = await world.sealed(`2026-11-${String(day).padStart(2, '0')}T03:00:00Z`, options);
    await world.publish(run);
    ids.push(run.backupId);
  }
  return ids;
}

describe('Publish, where the environment has a policy', () => {
  it('promotes the first backup of a year: locked, held, and signed evidence of each step', async () => {
    const world = await keptVault(await folder());
    const run = await world.sealed('2026-11-21T03:00:00Z');
    expect(await world.publish(run)).toEqual({
      ...{ state: 'published', verdict: 'intact', tier: 'yearly', hasReplica: false },
    });
    expect(await world.state(run.backupId)).toEqual({
      // 2562 days after it was sealed.
      objects: ['entry held, held', 'held, 2033-11-26T03:00:00.000Z, held'],
      evidence: ['verified', 'promoted', 'published', 'held'],
      entryTier: 'yearly',
    });
  });

  it('gives each backup the tier that its period lacks', async () => {
    const world = await keptVault(await folder());
    const ids = await published(world, [21, 22, 23, 24]);
    const tiers = await Promise.all(ids.map(async (id) => (await world.state(id)).entryTier));
    expect(tiers).toEqual(['yearly', 'daily', 'weekly', 'daily']);
  });

  it('holds the newest minKeep, and gives the one that leaves them its tier back', async () => {
    const world = await keptVault(await folder(), { minKeep: 2 });
    const ids = await published(world, [21, 22, 23, 24]);
    const states = await Promise.all(ids.map((id) => world.state(id)));
    expect(states.map(({ objects }) => objects)).toEqual([
      ['entry yearly, free', 'yearly, 2033-11-26T03:00:00.000Z, free'],
      ['daily, 2026-12-22T03:00:00.000Z, free', 'entry daily, free'],
      ['entry held, held', 'held, 2027-02-15T03:00:00.000Z, held'],
      ['entry held, held', 'held, 2026-12-24T03:00:00.000Z, held'],
    ]);
    expect(states[1]?.evidence).toEqual(['verified', 'published', 'held', 'released']);
  });

  it('holds the newest proven one, however old, until a newer one is proven', async () => {
    const world = await keptVault(await folder(), { minKeep: 1 });
    const [first = ''] = await published(world, [21]);
    await prove(world, first);
    const [second = ''] = await published(world, [22]);
    await published(world, [23]);
    expect((await world.state(first)).objects[0]).toBe('entry held, held');
    expect((await world.state(second)).evidence.at(-1)).toBe('released');
    const [fourth = ''] = await published(world, [24]);
    await prove(world, fourth);
    await published(world, [25]);
    expect((await world.state(first)).evidence.at(-1)).toBe('released');
    expect((await world.state(fourth)).objects[0]).toBe('entry held, held');
  });

  it.each([
    ['manual', 'full', 'manual'],
    ['safety', 'full', 'safety'],
    ['daily', 'partial', 'daily'],
  ] as const)(
    'never promotes a backup that is %s and %s, nor holds a partial or safety one',
    async (tier, scope, kept) => {
      const world = await keptVault(await folder());
      const [id = ''] = await published(world, [21], { tier, scope });
      const { evidence, entryTier } = await world.state(id);
      expect(entryTier).toBe(kept);
      expect(evidence).toEqual(
        tier === 'manual' ? ['verified', 'published', 'held'] : ['verified', 'published'],
      );
    },
  );

  it('keeps a safety backup of a database that the environment does not name by the default policy', async () => {
    const world = await keptVault(await folder());
    const options = { tier: 'safety', source: 'crm' } as const;
    const run = await world.sealed('2026-11-21T03:00:00Z', options);
    expect(await world.publish(run)).toMatchObject({ tier: 'safety' });
    const other = await world.sealed('2026-11-22T03:00:00Z', { source: 'crm' });
    await expect(world.publish(other)).rejects.toMatchObject({ name: 'ConnectionNotFoundError' });
  });

  it('counts no backup that is damaged, whose manifest is gone, or whose evidence is forged', async () => {
    const world = await keptVault(await folder(), { minKeep: 1 });
    const [good = '', damaged = '', gone = '', forged = ''] = await published(
      world,
      [20, 21, 22, 23],
    );
    // As they would be, had nothing happened to them: all but the last are released by now, and held again below.
    const what = { source: 'shop', by, manifestSha256: '0'.repeat(64), facts: {} } as const;
    await writeEvidence(world.deps, { ...what, kind: 'damaged', backupId: damaged });
    await rm(join(world.sample.root, vaultKeys.manifest('shop', gone)), { force: true });
    const [record] = await collect(world.deps.vault.list(vaultKeys.evidenceOf('shop', forged)));
    await writeFile(join(world.sample.root, record?.key ?? ''), '{"record":"{}","signature":{}}');
    const [last = ''] = await published(world, [19]);
    expect((await world.state(good)).evidence.at(-1)).toBe('held');
    expect((await world.state(last)).evidence).not.toContain('held');
    // What is not understood is left as it is: still held.
    expect((await world.state(forged)).evidence).not.toContain('released');
  });
});

describe('verify, of a backup that was promoted', () => {
  const verify = (world: KeptVault, backupId: string) =>
    verifyBackup(world.deps, { source: 'shop', backupId, depth: 'full', concurrency: 2, by });
  const entryOf = (world: KeptVault, time: string, backupId: string) =>
    join(world.sample.root, vaultKeys.catalogue('shop', new Date(time), backupId));

  it('accepts the tier that signed evidence tells of, and no other', async () => {
    const world = await keptVault(await folder());
    const [id = ''] = await published(world, [21]);
    expect(await verify(world, id)).toMatchObject({ verdict: 'intact' });
    const path = entryOf(world, '2026-11-21T03:00:00Z', id);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"yearly"', '"monthly"'));
    expect(await verify(world, id)).toMatchObject({
      verdict: 'damaged',
      problems: [{ kind: 'signature', detail: expect.stringContaining('catalogue entry') }],
    });
    await writeFile(path, text.replace('"rows": ', '"rows": 1'));
    expect(await verify(world, id)).toMatchObject({ verdict: 'damaged' });
  });

  it('accepts no promotion of another manifest', async () => {
    const world = await keptVault(await folder());
    const [first = '', second = ''] = await published(world, [21, 22]);
    const path = entryOf(world, '2026-11-22T03:00:00Z', second);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"daily"', '"yearly"'));
    const what = { source: 'shop', backupId: second, by, facts: { from: 'daily', to: 'yearly' } };
    await writeEvidence(world.deps, { ...what, kind: 'promoted', manifestSha256: '0'.repeat(64) });
    expect(await verify(world, second)).toMatchObject({ verdict: 'damaged' });
    expect(await verify(world, first)).toMatchObject({ verdict: 'intact' });
  });
});

describe('Publish on one machine', () => {
  it('keeps the tier of the request, and locks and holds nothing', async () => {
    const world = await keptVault(await folder(), 'none');
    const [id = ''] = await published(world, [21]);
    expect(await world.state(id)).toEqual({
      objects: ['daily, no lock, free', 'entry untagged, free'],
      evidence: ['verified', 'published'],
      entryTier: 'daily',
    });
  });
});
