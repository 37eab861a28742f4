import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Manifest } from '../../core/contract/manifest.ts';
import { contextOf, openSegment } from '../../core/verify/read-segment.ts';
import { verifyObject } from '../../core/verify/verify-object.ts';
import { sampleBackup, sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
/** Objects 0 to 2 are schema texts; 3 is the first half of `orders`. */
const ordersObject = 3;

async function fresh(rows = 3000) {
  const sample = await sampleVault(await folder());
  const backup = await sampleBackup(sample, { rows });
  const object = backup.objects[ordersObject] as Manifest['objects'][number];
  const table = backup.tables.find(({ name }) => name === 'orders');
  const segment = table?.segments[0] as Manifest['tables'][number]['segments'][number];
  return { sample, backup, object, segment, path: join(sample.root, object.key) };
}

it('gives the bytes that were dumped', async () => {
  const { sample, object, segment } = await fresh();
  const { plain, compressedBytes } = await openSegment(sample.deps, object, segment);
  const text = (await buffer(plain)).toString();
  expect(text.startsWith('0\trow number 0 \n1\trow number 1 x\n')).toBe(true);
  expect(text.length).toBe(segment.rawBytes);
  expect(compressedBytes()).toBe(segment.compressedBytes);
});

/** A message that is authentic and of the same length, but is not the one of the manifest. */
async function replaceBy(
  content: Buffer,
  { sample, object, path }: Awaited<ReturnType<typeof fresh>>,
) {
  const context = contextOf(sample.marker.vaultId, object.key);
  const segment = sample.keyRing.encryptObject(context, 1 << 20).openSegment();
  await writeFile(path, await buffer(Readable.from([content]).pipe(segment)));
}

it('ends with an error when the bytes are authentic but not those of the manifest', async () => {
  const all = await fresh();
  const { sample, backup, object, segment, path } = all;
  const stored = await readFile(path);
  const clear = sample.keyRing.decryptSegment(contextOf(sample.marker.vaultId, object.key));
  await replaceBy(await buffer(Readable.from([stored]).pipe(clear)), all);
  expect((await readFile(path)).length).toBe(stored.length);
  const { plain } = await openSegment(sample.deps, object, segment);
  await expect(buffer(plain)).rejects.toMatchObject({ name: 'ObjectDamagedError' });
  const { problems } = await verifyObject(sample.deps, backup, ordersObject);
  expect(problems).toMatchObject([{ table: 'shop.orders', kind: 'hash' }]);
});

it.each([
  ['rows', { rows: 1 }],
  ['fingerprint', { fingerprint: 'f'.repeat(32) }],
  ['size', { rawBytes: 1 }],
  ['size', { compressedBytes: 1 }],
] as const)('finds that the %s differs from the manifest (%o)', async (kind, change) => {
  const { sample, backup } = await fresh();
  const lying = structuredClone(backup);
  const segment = lying.tables.find(({ name }) => name === 'orders')?.segments[0];
  Object.assign(segment as object, change);
  const { problems } = await verifyObject(sample.deps, lying, ordersObject);
  expect(problems).toMatchObject([{ table: 'shop.orders', kind }]);
});

it.each([
  ['decompression', Buffer.from('this is not zstd at all'), 'decompression'],
  [
    'decompression',
    zstdCompressSync(Buffer.alloc(100_000, 'x\n')).subarray(0, -3),
    'decompression',
  ],
  ['a row that does not end', zstdCompressSync(Buffer.from('1\tone\n2\ttw')), 'fingerprint'],
])('finds content that was written wrongly: %s', async (_, content, kind) => {
  const all = await fresh();
  await replaceBy(content, all);
  const stored = await readFile(all.path);
  const lying = structuredClone(all.backup);
  const sha256 = createHash('sha256').update(stored).digest('hex');
  Object.assign(lying.objects[ordersObject] as object, {
    storedBytes: stored.length,
    sha256,
    versionId: `sha256-${sha256.slice(0, 32)}`,
  });
  const segment = lying.tables.find(({ name }) => name === 'orders')?.segments[0];
  Object.assign(segment as object, { storedBytes: stored.length, sha256 });
  await rm(join(all.sample.root, '.meta', `${all.object.key}.json`));
  const { problems } = await verifyObject(all.sample.deps, lying, ordersObject);
  expect(problems).toMatchObject([{ table: 'shop.orders', kind }]);
});

it('finds damage in bytes of an object that no segment of this backup names', async () => {
  const { sample, backup } = await fresh();
  const packed = 5;
  const partly = structuredClone(backup);
  partly.tables = partly.tables.filter(({ name }) => name !== 'goods');
  expect((await verifyObject(sample.deps, partly, packed)).verdict).toBe('intact');
  const path = join(sample.root, partly.objects[packed]?.key as string);
  const bytes = await readFile(path);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const { problems } = await verifyObject(sample.deps, partly, packed);
  expect(problems).toMatchObject([{ table: null, kind: 'hash' }]);
});

const openFiles = async (root: string) => {
  const links = (await readdir('/proc/self/fd')).map((fd) =>
    readlink(`/proc/self/fd/${fd}`).catch(() => ''),
  );
  return (await Promise.all(links)).filter((target) => target.startsWith(root));
};

it.runIf(process.platform === 'linux')(
  'closes the file when its reader goes away midway, and when it fails',
  async () => {
    const { sample, backup, object, segment, path } = await fresh(60_000);
    const { plain } = await openSegment(sample.deps, object, segment);
    for await (const _ of plain) break;
    const bytes = await readFile(path);
    bytes[400] = (bytes[400] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await verifyObject(sample.deps, backup, ordersObject);
    await expect.poll(() => openFiles(sample.root), { timeout: 30_000 }).toEqual([]);
  },
);
