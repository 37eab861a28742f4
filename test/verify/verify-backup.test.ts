import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import { catalogueEntryOf } from '../../core/evidence/catalogue-entry.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { encodeJson } from '../../core/vault/json.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { createKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../../local/keyring/local-key-ring.ts';
import { type SampleVault, sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

// Each of many verifications writes evidence, and waits for the disk.
vi.setConfig({ testTimeout: 180_000 });

const folder = temporaryFolders();
const by = { user: 'me', host: 'here' };
const verify = (sample: SampleVault, backup: Manifest, depth: 'full' | 'quick' = 'full') =>
  verifyBackup(sample.deps, {
    source: backup.source.name,
    backupId: backup.backupId,
    depth,
    concurrency: 2,
    by,
  });
const fresh = async () => {
  const sample = await sampleVault(await folder());
  return { sample, backup: await sampleBackup(sample) };
};
const pathOf = (sample: SampleVault, key: string) => join(sample.root, key);
const keyOf = (backup: Manifest, index: number) => backup.objects[index]?.key as string;
const evidenceOf = async (sample: SampleVault, backup: Manifest) => {
  const kinds: string[] = [];
  const all = readAllEvidence(sample.deps, backup.source.name, backup.backupId);
  for await (const record of all) kinds.push(record.kind);
  return kinds;
};
/** Index of the object of `orders`' first half, and of the one with three small tables. */
const ordersObject = 3;
const packedObject = 5;

it('finds an intact backup intact and leaves evidence of it', async () => {
  const { sample, backup } = await fresh();
  const report = await verify(sample, backup);
  expect(report).toMatchObject({
    backupId: backup.backupId,
    verdict: 'intact',
    depth: 'full',
    objects: 7,
    segments: 9,
    rows: backup.totals.rows,
    storedBytes: backup.totals.storedBytes,
    problems: [],
  });
  expect(await evidenceOf(sample, backup)).toEqual(['verified']);
});

it('leaves no evidence of being verified after a quick look', async () => {
  const { sample, backup } = await fresh();
  expect(await verify(sample, backup, 'quick')).toMatchObject({ verdict: 'intact', rows: 0 });
  expect(await evidenceOf(sample, backup)).toEqual([]);
});

it.each(['full', 'quick'] as const)(
  'finds any flipped byte of any object, and names object and table (%s)',
  async (depth) => {
    const { sample, backup } = await fresh();
    const anywhere = fc.nat(backup.objects.length - 1).chain((index) =>
      fc.record({
        index: fc.constant(index),
        at: fc.nat((backup.objects[index]?.storedBytes ?? 1) - 1),
        change: fc.integer({ min: 1, max: 255 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(anywhere, async ({ index, at, change }) => {
        const key = keyOf(backup, index);
        const path = pathOf(sample, key);
        const good = await readFile(path);
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ change;
        await writeFile(path, bad);
        try {
          const report = await verify(sample, backup, depth);
          const table = tableAt(backup, index, at);
          expect(report.verdict).toBe('damaged');
          expect(report.problems).toMatchObject([{ object: key, table, kind: 'hash' }]);
        } finally {
          await writeFile(path, good);
        }
      }),
      { numRuns: 60 },
    );
    const kinds = await evidenceOf(sample, backup);
    expect(kinds.length).toBeGreaterThan(0);
    expect(new Set(kinds)).toEqual(new Set(['damaged']));
    expect((await verify(sample, backup, depth)).verdict).toBe('intact');
  },
);

function tableAt(backup: Manifest, index: number, at: number): string {
  const holds = (segment: { object: number; offset: number; storedBytes: number }) =>
    segment.object === index && at >= segment.offset && at < segment.offset + segment.storedBytes;
  const table = backup.tables.find(({ segments }) => segments.some(holds));
  if (table !== undefined) return `${table.schema}.${table.name}`;
  const text = backup.schema.find(({ segment }) => holds(segment));
  return text === undefined ? 'large objects' : `schema ${text.name}`;
}

it.each(['full', 'quick'] as const)('finds an object that was cut short (%s)', async (depth) => {
  const { sample, backup } = await fresh();
  const key = keyOf(backup, packedObject);
  const goods = backup.tables.find(({ name }) => name === 'goods')?.segments[0];
  await truncate(pathOf(sample, key), (goods?.offset ?? 0) + 10);
  expect((await verify(sample, backup, depth)).problems).toMatchObject([
    { object: key, table: 'shop.goods', kind: 'truncated' },
  ]);
  await truncate(pathOf(sample, key), 0);
  expect((await verify(sample, backup, depth)).problems.map(({ table }) => table)).toEqual([
    'shop.clients',
    'shop.empty',
    'shop.goods',
  ]);
});

it.each(['full', 'quick'] as const)('finds bytes that were added (%s)', async (depth) => {
  const { sample, backup } = await fresh();
  const path = pathOf(sample, keyOf(backup, ordersObject));
  await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('more')]));
  expect((await verify(sample, backup, depth)).problems).toMatchObject([
    { object: keyOf(backup, ordersObject), kind: 'size' },
  ]);
});

it.each(['full', 'quick'] as const)('finds an object that is missing (%s)', async (depth) => {
  const { sample, backup } = await fresh();
  const key = keyOf(backup, ordersObject);
  await rm(pathOf(sample, key));
  const report = await verify(sample, backup, depth);
  expect(report.problems).toMatchObject([{ object: key, table: 'shop.orders', kind: 'missing' }]);
  expect(report.objects).toBe(7);
});

it.each([
  ['and what is known of them', true],
  ['but not what is known of them', false],
])('finds two objects that were exchanged, %s', async (_, withMeta) => {
  const { sample, backup } = await fresh();
  const [one, two] = [keyOf(backup, ordersObject), keyOf(backup, ordersObject + 1)];
  const swap = async (a: string, b: string) => {
    await rename(pathOf(sample, a), pathOf(sample, `${a}.x`));
    await rename(pathOf(sample, b), pathOf(sample, a));
    await rename(pathOf(sample, `${a}.x`), pathOf(sample, b));
  };
  await swap(one, two);
  if (withMeta) await swap(`.meta/${one}.json`, `.meta/${two}.json`);
  const report = await verify(sample, backup);
  const damaged = new Set(report.problems.map(({ object }) => object));
  expect(damaged).toEqual(new Set([one, two]));
  expect(new Set(report.problems.map(({ table }) => table))).not.toContain('shop.goods');
});

it('finds two segments of an object that were exchanged', async () => {
  const { sample, backup } = await fresh();
  const path = pathOf(sample, keyOf(backup, packedObject));
  const stored = await readFile(path);
  const [clients, empty, goods] = ['clients', 'empty', 'goods'].map((name) => {
    const segment = backup.tables.find((table) => table.name === name)?.segments[0];
    const offset = segment?.offset ?? 0;
    return stored.subarray(offset, offset + (segment?.storedBytes ?? 0));
  }) as [Buffer, Buffer, Buffer];
  await writeFile(path, Buffer.concat([goods, empty, clients]));
  const report = await verify(sample, backup);
  expect(report.problems.map(({ table, kind }) => [table, kind])).toEqual(
    expect.arrayContaining([
      ['shop.clients', 'hash'],
      ['shop.goods', 'hash'],
    ]),
  );
});

it.each(['manifest', 'signature'] as const)('finds any flipped byte of the %s', async (which) => {
  const { sample, backup } = await fresh();
  const path = pathOf(sample, vaultKeys[which](backup.source.name, backup.backupId));
  const good = await readFile(path);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ change;
        await writeFile(path, bad);
        const report = await verify(sample, backup, 'quick');
        expect(report.verdict).toBe('damaged');
        expect(report.problems).toMatchObject([
          { object: vaultKeys.manifest(backup.source.name, backup.backupId), kind: 'signature' },
        ]);
      },
    ),
    { numRuns: which === 'signature' ? 300 : 60 },
  );
});

it('finds that the signature was written anew, although it says the same', async () => {
  const { sample, backup } = await fresh();
  const path = pathOf(sample, vaultKeys.signature(backup.source.name, backup.backupId));
  const good = await readFile(path, 'utf8');
  for (const bad of [
    good.replace('  "', '\t "'),
    good.replace('{', '{"keyId": "x",'),
    good.trimEnd().replace(/}$/, ' }'),
    `${good} `,
  ]) {
    await writeFile(path, bad);
    expect((await verify(sample, backup, 'quick')).problems).toMatchObject([{ kind: 'signature' }]);
  }
  await writeFile(path, good);
  expect((await verify(sample, backup, 'quick')).verdict).toBe('intact');
});

it('finds that a published backup has lost its manifest', async () => {
  const { sample, backup } = await fresh();
  await rm(pathOf(sample, vaultKeys.manifest(backup.source.name, backup.backupId)));
  const report = await verify(sample, backup);
  expect(report.problems).toMatchObject([{ kind: 'missing', table: null }]);
  await rm(pathOf(sample, vaultKeys.signature(backup.source.name, backup.backupId)));
  expect((await verify(sample, backup)).verdict).toBe('damaged');
});

it("does not believe another backup's manifest, although its signature is good", async () => {
  const { sample, backup } = await fresh();
  const other = await sampleBackup(sample, { time: '2026-11-22T04:21:00Z' });
  for (const key of [vaultKeys.manifest, vaultKeys.signature]) {
    const body = await readFile(pathOf(sample, key('shop', other.backupId)));
    await writeFile(pathOf(sample, key('shop', backup.backupId)), body);
  }
  expect((await verify(sample, backup)).problems).toMatchObject([{ kind: 'signature' }]);
});

it('says that the key is the wrong one before it reads anything of the backup', async () => {
  const { sample, backup } = await fresh();
  const wrong = openLocalKeyRing(await createKeyFile(join(await folder(), 'other.json')));
  const read: string[] = [];
  const vault = new Proxy(sample.vault, {
    get: (target, name: keyof typeof sample.vault) => {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        read.push(String(args[0]));
        return (value as (...a: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  const refusal = verify({ ...sample, deps: { ...sample.deps, vault, keyRing: wrong } }, backup);
  await expect(refusal).rejects.toMatchObject({ name: 'KeyMismatchError' });
  await expect(refusal).rejects.toThrow(sample.keyRing.encryptionKeyId);
  expect(read).toEqual(['vault.json']);
});

it('says that there is no such backup', async () => {
  const { sample, backup } = await fresh();
  await expect(
    verify(sample, { ...backup, backupId: 'shop-20200101T000000Z-zzzzzz' }),
  ).rejects.toMatchObject({ name: 'BackupNotFoundError' });
});

it('takes "may not read" for an error and never for damage', async () => {
  const { sample, backup } = await fresh();
  const denied = Object.assign(Object.create(sample.vault), {
    openReader: () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' })),
  });
  for (const method of ['get', 'head', 'put', 'list'] as const) {
    denied[method] = sample.vault[method].bind(sample.vault);
  }
  for (const depth of ['full', 'quick'] as const) {
    await expect(
      verify({ ...sample, deps: { ...sample.deps, vault: denied } }, backup, depth),
    ).rejects.toThrow('denied');
  }
  expect(await readdir(join(sample.root, 'evidence')).catch(() => [])).toEqual([]);
});

it('finds a catalogue entry that says something else than the signed manifest', async () => {
  const { sample, backup } = await fresh();
  const at = new Date(backup.snapshot.instant);
  const key = vaultKeys.catalogue(backup.source.name, at, backup.backupId);
  const entry = { ...catalogueEntryOf(backup), scope: 'full' as const, rows: 1 };
  await writeFile(pathOf(sample, key), encodeJson(entry));
  const report = await verify(sample, backup, 'quick');
  expect(report).toMatchObject({
    verdict: 'damaged',
    problems: [{ object: key, kind: 'signature' }],
  });
});
