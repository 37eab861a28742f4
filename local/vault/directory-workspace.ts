/**
 * `Workspace` on a folder: small documents, replaced atomically; `ifMatch` compares and swaps under a lock file.
 *
 * Invariant: of any number of processes that swap the same etag at once, one succeeds.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Workspace, WorkspaceEntry, WriteCondition } from '../../core/vault/vault.ts';
import { withFileLock } from './file-lock.ts';
import {
  codeOf,
  type FileCalls,
  guarded,
  makeFolders,
  realFiles,
  removeIfThere,
  syncFolder,
  writeNewFile,
} from './files.ts';
import { listKeys, makeTree, openFile, pathOf, type Tree, temporaryPath } from './tree.ts';

const etagOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

const failed = (key: string, why: string, cause?: unknown) =>
  new HoldfastError('PreconditionFailedError', `${key} ${why}.`, { cause, evidence: { key } });

export class DirectoryWorkspace implements Workspace {
  readonly location: string;
  readonly #tree: Tree;

  constructor(root: string, files: FileCalls = realFiles) {
    this.#tree = makeTree(root, files);
    this.location = this.#tree.root;
  }

  async put(key: string, body: Uint8Array, condition?: WriteCondition): Promise<{ etag: string }> {
    await guarded(`write ${key}`, async () => {
      const target = await pathOf(this.#tree, key);
      const temporary = await temporaryPath(this.#tree);
      try {
        await writeNewFile(this.#tree.files, temporary, body);
        await makeFolders(this.#tree.files, dirname(target));
        if (condition !== undefined && 'ifNoneMatch' in condition) {
          await this.#create(key, temporary, target);
        } else {
          await this.#replace(key, temporary, target, condition?.ifMatch);
        }
      } finally {
        await removeIfThere(this.#tree.files, temporary).catch(() => {});
      }
      await syncFolder(this.#tree.files, dirname(target));
    });
    return { etag: etagOf(body) };
  }

  async get(key: string): Promise<WorkspaceEntry | undefined> {
    return guarded(`read ${key}`, async () => {
      const file = await openFile(this.#tree, await pathOf(this.#tree, key));
      if (file === undefined) return undefined;
      try {
        const body = await file.handle.readFile();
        return { body, etag: etagOf(body) };
      } finally {
        await file.handle.close();
      }
    });
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const keys = listKeys(this.#tree, prefix);
    for (;;) {
      const next = await guarded(`list ${prefix}`, () => keys.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  async delete(key: string, condition?: { readonly ifMatch: string }): Promise<void> {
    await guarded(`delete ${key}`, async () => {
      const target = await pathOf(this.#tree, key);
      if (condition === undefined) {
        await removeIfThere(this.#tree.files, target);
        return;
      }
      await withFileLock(this.#tree, key, async (assertHeld) => {
        const present = await this.get(key);
        if (present === undefined) return;
        if (present.etag !== condition.ifMatch) throw failed(key, 'was changed by somebody else');
        await assertHeld();
        await removeIfThere(this.#tree.files, target);
      });
    });
  }

  async #create(key: string, temporary: string, target: string): Promise<void> {
    try {
      await this.#tree.files.link(temporary, target);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw failed(key, 'exists already', error);
      throw error;
    }
  }

  /** Unconditional replacements take the lock too: else a swap could overwrite what it never saw. */
  async #replace(
    key: string,
    temporary: string,
    target: string,
    ifMatch: string | undefined,
  ): Promise<void> {
    await withFileLock(this.#tree, key, async (assertHeld) => {
      if (ifMatch !== undefined && (await this.get(key))?.etag !== ifMatch) {
        throw failed(key, 'was changed or removed by somebody else');
      }
      await assertHeld();
      await this.#tree.files.rename(temporary, target);
    });
  }
}

export const openDirectoryWorkspace = (root: string, files?: FileCalls): DirectoryWorkspace =>
  new DirectoryWorkspace(root, files);
