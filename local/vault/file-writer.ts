/**
 * Writes one object: chunks go straight from the caller's memory to a temporary file, the hash runs on them while the
 * kernel writes, and `commit` makes the whole visible at once.
 *
 * Invariant: the key appears by link(2), which fails when it exists: complete, synced, never replaced.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ObjectRef, ObjectWriter, PutOptions } from '../../core/vault/vault.ts';
import {
  codeOf,
  fileMode,
  guarded,
  makeFolders,
  removeIfThere,
  syncFolder,
  writeFully,
} from './files.ts';
import { versionOf, writeMeta } from './object-meta.ts';
import { pathOf, type Tree, temporaryPath } from './tree.ts';

/**
 * Encryption gives each frame as three chunks: 13 bytes, 1 MiB, 16 bytes. Small ones wait (copied) for the next large
 * one, so that a frame is one call to the kernel. At most 64 kB wait.
 */
const smallBytes = 4096;
const smallPieces = 16;

export async function openFileWriter(
  tree: Tree,
  key: string,
  options: PutOptions,
): Promise<ObjectWriter> {
  return guarded(`write ${key}`, async () => {
    const target = await pathOf(tree, key);
    const temporary = await temporaryPath(tree);
    const handle = await tree.files.open(temporary, 'wx', fileMode);
    return new FileWriter(tree, key, target, temporary, handle, options);
  });
}

class FileWriter implements ObjectWriter {
  readonly #tree: Tree;
  readonly #key: string;
  readonly #target: string;
  readonly #temporary: string;
  readonly #options: PutOptions;
  readonly #hash = createHash('sha256');
  #handle: FileHandle | undefined;
  #storedBytes = 0;
  #small: Uint8Array[] = [];

  constructor(
    tree: Tree,
    key: string,
    target: string,
    temporary: string,
    handle: FileHandle,
    options: PutOptions,
  ) {
    this.#tree = tree;
    this.#key = key;
    this.#target = target;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#options = options;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await guarded(`write ${this.#key}`, async () => {
      const handle = this.#open();
      this.#storedBytes += chunk.length;
      if (chunk.length < smallBytes && this.#small.length < smallPieces) {
        this.#hash.update(chunk);
        this.#small.push(Uint8Array.from(chunk));
        return;
      }
      const written = writeFully(handle, [...this.#small, chunk]);
      this.#small = [];
      // The write runs in the thread pool meanwhile; its error is taken up by the await.
      this.#hash.update(chunk);
      await written;
    });
  }

  sha256SoFar(): string {
    return this.#hash.copy().digest('hex');
  }

  async commit(): Promise<ObjectRef> {
    const { files } = this.#tree;
    try {
      return await guarded(`write ${this.#key}`, async () => {
        const handle = this.#open();
        if (this.#small.length > 0) await writeFully(handle, this.#small);
        await handle.sync();
        this.#handle = undefined;
        await handle.close();
        await makeFolders(files, dirname(this.#target));
        await this.#linkOnce();
        const sha256 = this.#hash.digest('hex');
        const storedBytes = this.#storedBytes;
        try {
          await files.unlink(this.#temporary);
          await syncFolder(files, dirname(this.#target));
          await writeMeta(this.#tree, this.#key, {
            sha256,
            storedBytes,
            tags: { ...this.#options.tags },
            hasLegalHold: false,
          });
        } catch (error) {
          // It is told as failed, so it must not be there: it may be a manifest or a catalogue entry.
          await removeIfThere(files, this.#target).catch(() => {});
          throw error;
        }
        return { key: this.#key, versionId: versionOf(sha256), storedBytes, sha256 };
      });
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // What failed before is the error to tell; a temporary file that stays is swept later.
    await handle?.close().catch(() => {});
    await removeIfThere(this.#tree.files, this.#temporary).catch(() => {});
  }

  async #linkOnce(): Promise<void> {
    try {
      await this.#tree.files.link(this.#temporary, this.#target);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      throw new HoldfastError(
        'PreconditionFailedError',
        `${this.#key} exists already; an object is written once.`,
        { cause: error },
      );
    }
  }

  #open(): FileHandle {
    if (this.#handle === undefined) {
      throw new HoldfastError('InternalError', `The writer of ${this.#key} is closed already.`);
    }
    return this.#handle;
  }
}
