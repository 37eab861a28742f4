/**
 * A folder whose files are objects: from key to path, temporary names, and listing in the order of keys.
 *
 * Invariant: no key, and no symbolic link that somebody put into the tree, leads out of it.
 * Names that begin with a dot are the adapter's own (`.tmp`, `.meta`) and can be no part of a key.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { HoldfastError } from '../../core/contract/errors.ts';
import { keyParts } from '../../core/vault/object-key.ts';
import { codeOf, type FileCalls, folderMode, isAbsent, makeFolders } from './files.ts';

export interface Tree {
  readonly root: string;
  readonly files: FileCalls;
  /** First parts of keys that belong to somebody else. */
  readonly reserved: readonly string[];
}

export const makeTree = (
  root: string,
  files: FileCalls,
  reserved: readonly string[] = [],
): Tree => ({
  root: resolve(root),
  files,
  reserved,
});

const invalid = (key: string, why: string) =>
  new HoldfastError(
    'InvalidObjectKeyError',
    `Object key ${JSON.stringify(key)} is not allowed: ${why}.`,
  );

/** The path of a key, after a look that the folders on the way do not lead out by a symbolic link. */
export async function pathOf(tree: Tree, key: string): Promise<string> {
  const path = join(tree.root, ...keyParts(key, tree.reserved));
  await assertInside(tree, dirname(path), key);
  return path;
}

export async function assertInside(tree: Tree, folder: string, key: string): Promise<void> {
  for (let path = folder; path.length > tree.root.length; path = dirname(path)) {
    try {
      const real = await tree.files.realpath(path);
      const realRoot = await tree.files.realpath(tree.root);
      if (real !== realRoot && !real.startsWith(realRoot + sep)) {
        throw invalid(key, 'a symbolic link leads out of the folder');
      }
      return;
    } catch (error) {
      // A link to nothing is "absent" too, but mkdir refuses to make folders through it.
      if (!isAbsent(error)) throw error;
    }
  }
}

/** A new name for a file that is being written, in the same file system as the objects. */
export async function temporaryPath(tree: Tree): Promise<string> {
  const folder = join(tree.root, '.tmp');
  try {
    await tree.files.mkdir(folder, { mode: folderMode });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') await makeFolders(tree.files, folder);
    else if (codeOf(error) !== 'EEXIST') throw error;
  }
  return join(folder, randomBytes(12).toString('hex'));
}

export const lockPath = (tree: Tree, key: string): string =>
  join(tree.root, '.tmp', `lock-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`);

/** Opens a file for reading; a folder or a symbolic link is no object. @returns undefined when absent */
export async function openFile(
  tree: Tree,
  path: string,
): Promise<{ handle: FileHandle; stats: Stats } | undefined> {
  let handle: FileHandle;
  try {
    handle = await tree.files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** Order of keys: by their UTF-8 bytes, as object stores list. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Keys with the prefix, ascending, one folder in memory at a time. */
export async function* listKeys(
  tree: Tree,
  prefix: string,
  startAfter = '',
): AsyncGenerator<string> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  // A prefix that can be no key's beginning lists nothing, and is never looked up as a path.
  if (folder !== '' && !isKey(folder.slice(0, -1), tree.reserved)) return;
  if (folder !== '') await assertInside(tree, join(tree.root, folder), prefix);
  yield* walk(tree, folder, prefix, startAfter);
}

function isKey(key: string, reserved: readonly string[]): boolean {
  try {
    keyParts(key, reserved);
    return true;
  } catch {
    return false;
  }
}

async function* walk(
  tree: Tree,
  folder: string,
  prefix: string,
  startAfter: string,
): AsyncGenerator<string> {
  const names: string[] = [];
  try {
    for (const entry of await tree.files.readdir(join(tree.root, folder), {
      withFileTypes: true,
    })) {
      const key = folder + entry.name;
      if (entry.isDirectory()) names.push(`${key}/`);
      else if (entry.isFile()) names.push(key);
    }
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  for (const name of names.sort(byBytes)) {
    const isFolder = name.endsWith('/');
    if (!isKey(isFolder ? name.slice(0, -1) : name, tree.reserved)) continue;
    if (!name.startsWith(prefix) && !(isFolder && prefix.startsWith(name))) continue;
    if (byBytes(name, startAfter) <= 0 && !(isFolder && startAfter.startsWith(name))) continue;
    if (isFolder) yield* walk(tree, name, prefix, startAfter);
    else yield name;
  }
}
