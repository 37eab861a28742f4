/**
 * What a vault knows of an object beside its bytes: hash, tags, retain-until, legal hold. One JSON file per object in
 * `.meta/`, replaced atomically.
 *
 * Invariant: an object without it is valid (a copy of the folder made by stock tools may lack `.meta`): its hash is
 * then computed, and it has no tags and no lock.
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { decodeJson, encodeJson } from '../../core/vault/json.ts';
import { makeFolders, removeIfThere, syncFolder, writeNewFile } from './files.ts';
import { assertInside, openFile, type Tree, temporaryPath } from './tree.ts';

const metaSchema = z.strictObject({
  sha256: z.string(),
  storedBytes: z.int().nonnegative(),
  tags: z.record(z.string(), z.string()),
  retainUntil: z.iso.datetime().optional(),
  hasLegalHold: z.boolean(),
});
export type ObjectMeta = z.infer<typeof metaSchema>;

/** Names the bytes and not the moment, so that a copy of the folder has the same versions. */
export const versionOf = (sha256: string): string => `sha256-${sha256.slice(0, 32)}`;

async function metaPath(tree: Tree, key: string): Promise<string> {
  const path = join(tree.root, '.meta', `${key}.json`);
  await assertInside(tree, dirname(path), key);
  return path;
}

export async function readMeta(tree: Tree, key: string): Promise<ObjectMeta | undefined> {
  const file = await openFile(tree, await metaPath(tree, key));
  if (file === undefined) return undefined;
  try {
    return decodeJson(metaSchema, await file.handle.readFile(), `.meta/${key}.json`);
  } finally {
    await file.handle.close();
  }
}

/** The recorded facts; those of an object that has none are found by reading it. */
export async function metaOf(tree: Tree, key: string, path: string): Promise<ObjectMeta> {
  const meta = await readMeta(tree, key);
  if (meta !== undefined) return meta;
  const hash = createHash('sha256');
  let storedBytes = 0;
  const handle = await tree.files.open(path, 'r');
  for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    storedBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), storedBytes, tags: {}, hasLegalHold: false };
}

export async function writeMeta(tree: Tree, key: string, meta: ObjectMeta): Promise<void> {
  const path = await metaPath(tree, key);
  const temporary = await temporaryPath(tree);
  try {
    await writeNewFile(tree.files, temporary, encodeJson(meta));
    await makeFolders(tree.files, dirname(path));
    await tree.files.rename(temporary, path);
  } catch (error) {
    await removeIfThere(tree.files, temporary);
    throw error;
  }
  await syncFolder(tree.files, dirname(path));
}

export async function removeMeta(tree: Tree, key: string): Promise<void> {
  await removeIfThere(tree.files, await metaPath(tree, key));
}

/** When the lock still holds, why; else undefined. */
export function lockOf(meta: ObjectMeta | undefined, now: Date): string | undefined {
  if (meta?.hasLegalHold) return 'it is under legal hold';
  if (meta?.retainUntil !== undefined && new Date(meta.retainUntil) > now) {
    return `it is retained until ${meta.retainUntil}`;
  }
  return undefined;
}
