import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { mapCopyInError } from '../../core/copy/copy-in-error.ts';
import { asTargetError } from '../../core/restore/load/target-errors.ts';
import { fillShop, type Harness, makeHarness } from '../backup/harness.ts';
import { type LoadHarness, loadHarness, rowsOf } from './load-harness.ts';

let source: Harness;
let backupId: string;
beforeAll(async () => {
  source = await makeHarness('load_damage');
  await fillShop(source.database);
  await source.database.query(
    `CREATE TABLE lone AS SELECT n, md5(n::text) AS v FROM generate_series(1, 20000) n`,
  );
  const report = await source.runHere(undefined, undefined, { chunkBytes: 1 << 20 });
  backupId = (report as { backupId: string }).backupId;
});
afterAll(() => source[Symbol.asyncDispose]());

const segmentsOf = ({ tables }: Manifest, name: string) =>
  tables.find((table) => table.name === name)?.segments ?? [];
const keyOf = ({ objects }: Manifest, object: number) => objects[object]?.key ?? '';

/** Loads from a vault in which `damage` has changed files; the files are put back. */
async function loadDamaged(
  damage: (load: LoadHarness, path: (key: string) => string) => Promise<void>,
): Promise<{ name: string; message: string; rows: string[] }> {
  await using load = await loadHarness(source, backupId);
  const path = (key: string) => join(source.vaultDirectory, key);
  const keys = load.manifest.objects.map(({ key }) => key);
  const originals = await Promise.all(keys.map((key) => readFile(path(key))));
  try {
    await damage(load, path);
    const error = (await load.loadAll().then(
      () => expect.unreachable('a damaged segment was loaded'),
      (failure: unknown) => failure,
    )) as Error;
    const { name, message } = error;
    return { name, message, rows: await rowsOf(load.target, 'lone') };
  } finally {
    for (const [index, key] of keys.entries()) {
      await rm(path(key), { force: true });
      await writeFile(path(key), originals[index] as Buffer);
    }
  }
}

test('a flipped byte, also in the last frame, lets no row in', async () => {
  for (const place of [0.5, 0.999]) {
    const failed = await loadDamaged(async ({ manifest }, path) => {
      const [segment] = segmentsOf(manifest, 'lone');
      const key = keyOf(manifest, segment?.object ?? -1);
      const bytes = await readFile(path(key));
      const at = (segment?.offset ?? 0) + Math.floor((segment?.storedBytes ?? 0) * place);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await rm(path(key), { force: true });
      await writeFile(path(key), bytes);
    });
    expect(['DecryptionError', 'ObjectDamagedError']).toContain(failed.name);
    expect(failed.rows).toEqual([]);
  }
});

test('a missing and a truncated object are named', async () => {
  const missing = await loadDamaged(async ({ manifest }, path) => {
    await rm(path(keyOf(manifest, segmentsOf(manifest, 'lone')[0]?.object ?? -1)), { force: true });
  });
  expect(missing).toMatchObject({ name: 'ObjectNotFoundError', rows: [] });
  const truncated = await loadDamaged(async ({ manifest }, path) => {
    const key = keyOf(manifest, segmentsOf(manifest, 'lone')[0]?.object ?? -1);
    const bytes = await readFile(path(key));
    await rm(path(key), { force: true });
    await writeFile(path(key), bytes.subarray(0, Math.floor(bytes.length / 2)));
  });
  expect(truncated).toMatchObject({ name: 'ObjectTruncatedError', rows: [] });
});

test('two objects that were exchanged are not taken for each other', async () => {
  const failed = await loadDamaged(async ({ manifest }, path) => {
    const keys = [...new Set(manifest.tables.flatMap(({ segments }) => segments))]
      .map(({ object }) => keyOf(manifest, object))
      .filter((key, index, all) => all.indexOf(key) === index);
    const [one, other] = [keys[0] ?? '', keys[1] ?? ''];
    const [first, second] = [await readFile(path(one)), await readFile(path(other))];
    // Padded, so that the exchange is not found by the length alone.
    const length = Math.max(first.length, second.length);
    for (const [key, bytes] of [
      [one, second],
      [other, first],
    ] as const) {
      await rm(path(key), { force: true });
      await writeFile(path(key), Buffer.concat([bytes], length));
    }
  });
  expect(['DecryptionError', 'ObjectDamagedError']).toContain(failed.name);
});

test('rows that are not those of the manifest are not committed', async () => {
  await using load = await loadHarness(source, backupId);
  // What a whole and authentic segment of other rows would do: the manifest in memory says something else.
  const [segment] = segmentsOf(load.manifest, 'lone') as { fingerprint: string }[];
  const { fingerprint } = segment ?? { fingerprint: '' };
  if (segment !== undefined) segment.fingerprint = `${fingerprint.slice(1)}0`;
  try {
    await expect(load.loadAll()).rejects.toMatchObject({ name: 'ObjectDamagedError' });
    expect(await rowsOf(load.target, 'lone')).toEqual([]);
  } finally {
    if (segment !== undefined) segment.fingerprint = fingerprint;
  }
  await load.loadAll();
  expect(await rowsOf(load.target, 'lone')).toEqual(await rowsOf(source.database, 'lone'));
});

test('a full disk of the target is called so, in COPY and at COMMIT', () => {
  const full = new pg.DatabaseError('could not extend file', 0, 'error');
  full.code = '53100';
  expect(mapCopyInError(full, 'Loading t').name).toBe('TargetFullError');
  const atCommit = new HoldfastError('InternalError', 'unknown', { cause: full });
  expect(asTargetError(atCommit, 'Loading t')).toMatchObject({ name: 'TargetFullError' });
  const ours = new HoldfastError('InternalError', 'not of the server');
  expect(asTargetError(ours, 'Loading t')).toBe(ours);
});
