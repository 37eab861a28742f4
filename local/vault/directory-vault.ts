/**
 * `Vault` on a folder: an object is a file under its key, what is known of it is in `.meta/`, what is not yet whole in
 * `.tmp/`. Versions are named by content: a folder copied with stock tools is the same vault.
 *
 * Invariant: see the port; nothing outside the folder is ever read or written, and `workspace/` is not the vault's.
 */
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { HoldfastError } from '../../core/contract/errors.ts';
import type {
  ByteRange,
  ListedObject,
  ObjectHead,
  ObjectRef,
  ObjectWriter,
  PutOptions,
  Vault,
} from '../../core/vault/vault.ts';
import { withFileLock } from './file-lock.ts';
import { FileReader, truncated } from './file-reader.ts';
import { openFileWriter } from './file-writer.ts';
import {
  type FileCalls,
  guarded,
  isAbsent,
  realFiles,
  removeIfThere,
  syncFolder,
} from './files.ts';
import {
  lockOf,
  metaOf,
  type ObjectMeta,
  readMeta,
  removeMeta,
  versionOf,
  writeMeta,
} from './object-meta.ts';
import { listKeys, makeTree, openFile, pathOf, type Tree } from './tree.ts';

/** The folder of the vault in which the workspace lives. */
export const workspaceFolder = 'workspace';

const notFound = (key: string, what = 'there is no such object') =>
  new HoldfastError('ObjectNotFoundError', `${key}: ${what}.`, { evidence: { key } });

export class DirectoryVault implements Vault {
  readonly location: string;
  readonly #tree: Tree;

  constructor(root: string, files: FileCalls = realFiles) {
    this.#tree = makeTree(root, files, [workspaceFolder]);
    this.location = this.#tree.root;
  }

  openWriter(key: string, options: PutOptions = {}): Promise<ObjectWriter> {
    return openFileWriter(this.#tree, key, options);
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<ObjectRef> {
    const writer = await this.openWriter(key, options);
    try {
      await writer.write(body);
      return await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async get(key: string, versionId?: string): Promise<Uint8Array> {
    return guarded(`read ${key}`, async () => {
      const { handle } = await this.#open(key, versionId);
      try {
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    });
  }

  async openReader(
    key: string,
    options: { versionId?: string; range?: ByteRange } = {},
  ): Promise<Readable> {
    return guarded(`read ${key}`, async () => {
      const { handle, stats } = await this.#open(key, options.versionId);
      const range = options.range ?? { offset: 0, length: stats.size };
      if (range.offset + range.length > stats.size) {
        await handle.close();
        throw truncated(key, stats.size, range.offset + range.length);
      }
      return new FileReader(handle, key, range);
    });
  }

  async head(key: string): Promise<ObjectHead> {
    return guarded(`read ${key}`, async () => {
      const path = await pathOf(this.#tree, key);
      const file = await openFile(this.#tree, path);
      if (file === undefined) throw notFound(key);
      await file.handle.close();
      const meta = await metaOf(this.#tree, key, path);
      return {
        key,
        versionId: versionOf(meta.sha256),
        storedBytes: file.stats.size,
        sha256: meta.sha256,
        lastModified: file.stats.mtime,
        tags: meta.tags,
        hasLegalHold: meta.hasLegalHold,
        ...(meta.retainUntil === undefined ? {} : { retainUntil: new Date(meta.retainUntil) }),
      };
    });
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; limit?: number } = {},
  ): AsyncGenerator<ListedObject> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    const keys = listKeys(this.#tree, prefix, options.startAfter);
    for (;;) {
      const next = await guarded(`list ${prefix}`, () => keys.next());
      if (next.done === true) return;
      const key = next.value;
      const listed = await guarded(`list ${key}`, () => this.#listed(key));
      // Deleted between the two looks: it is as if we had come later.
      if (listed === undefined) continue;
      yield listed;
      left -= 1;
      if (left === 0) return;
    }
  }

  async setTags(key: string, tags: Readonly<Record<string, string>>): Promise<void> {
    await this.#change(key, (meta) => ({ ...meta, tags: { ...tags } }));
  }

  async setRetainUntil(key: string, until: Date): Promise<void> {
    await this.#change(key, (meta) => {
      if (meta.retainUntil !== undefined && new Date(meta.retainUntil) > until) {
        throw new HoldfastError(
          'ObjectLockedError',
          `${key} is retained until ${meta.retainUntil}; it cannot be shortened to ${until.toISOString()}.`,
        );
      }
      return { ...meta, retainUntil: until.toISOString() };
    });
  }

  async setLegalHold(key: string, on: boolean): Promise<void> {
    await this.#change(key, (meta) => ({ ...meta, hasLegalHold: on }));
  }

  async delete(key: string): Promise<void> {
    await guarded(`delete ${key}`, async () => {
      const path = await pathOf(this.#tree, key);
      const file = await openFile(this.#tree, path);
      if (file === undefined) return;
      await file.handle.close();
      await withFileLock(this.#tree, key, async (assertHeld) => {
        const lock = lockOf(await readMeta(this.#tree, key), new Date());
        if (lock !== undefined) {
          throw new HoldfastError('ObjectLockedError', `${key} cannot be deleted: ${lock}.`);
        }
        await assertHeld();
        // The object first: were it the other way round, a crash between would leave it unlocked.
        await removeIfThere(this.#tree.files, path);
        await syncFolder(this.#tree.files, dirname(path));
        await removeMeta(this.#tree, key);
      });
    });
  }

  async #open(key: string, versionId: string | undefined) {
    const file = await openFile(this.#tree, await pathOf(this.#tree, key));
    if (file === undefined) throw notFound(key);
    if (versionId === undefined) return file;
    // Cheap: by the recorded hash. Whoever reads by version compares the bytes with the manifest's hash anyway.
    const meta = await readMeta(this.#tree, key).catch(async (error: unknown) => {
      await file.handle.close();
      throw error;
    });
    if (meta === undefined || versionOf(meta.sha256) === versionId) return file;
    await file.handle.close();
    throw notFound(key, `version ${versionId} is not there, but ${versionOf(meta.sha256)}`);
  }

  async #listed(key: string): Promise<ListedObject | undefined> {
    try {
      const stats = await this.#tree.files.stat(await pathOf(this.#tree, key));
      return { key, storedBytes: stats.size, lastModified: stats.mtime };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async #change(key: string, change: (meta: ObjectMeta) => ObjectMeta): Promise<void> {
    await guarded(`change ${key}`, async () => {
      const path = await pathOf(this.#tree, key);
      const file = await openFile(this.#tree, path);
      if (file === undefined) throw notFound(key);
      await file.handle.close();
      await withFileLock(this.#tree, key, async (assertHeld) => {
        const meta = change(await metaOf(this.#tree, key, path));
        await assertHeld();
        await writeMeta(this.#tree, key, meta);
      });
    });
  }
}

/** Does not look whether the folder is a vault: see `openVault` for that. */
export const openDirectoryVault = (root: string, files?: FileCalls): DirectoryVault =>
  new DirectoryVault(root, files);
