/**
 * The file system as the directory adapters use it: a small port (so that a test can have a full disk), the
 * translation of its errors into the catalogue, and the steps that make a write durable.
 *
 * Invariant: "may not" and "could not" are never told as "is not there".
 */
import type { FileHandle } from 'node:fs/promises';
import * as nodeFiles from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorName, HoldfastError } from '../../core/contract/errors.ts';

export type FileCalls = Pick<
  typeof nodeFiles,
  'open' | 'link' | 'rename' | 'unlink' | 'mkdir' | 'readdir' | 'realpath' | 'stat'
>;
export const realFiles: FileCalls = nodeFiles;

export const folderMode = 0o700;
export const fileMode = 0o600;

const nameOfCode: Readonly<Record<string, ErrorName>> = {
  EACCES: 'VaultAccessDeniedError',
  EPERM: 'VaultAccessDeniedError',
  EROFS: 'VaultAccessDeniedError',
  ENOSPC: 'VaultFullError',
  EDQUOT: 'VaultFullError',
  ENAMETOOLONG: 'InvalidObjectKeyError',
  ELOOP: 'InvalidObjectKeyError',
};

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Neither the file nor, perhaps, a folder on the way to it is there. */
export const isAbsent = (error: unknown): boolean =>
  codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** The catalogue's error for what the file system said; one of the catalogue passes unchanged. */
export function toVaultError(error: unknown, doing: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  return new HoldfastError(nameOfCode[code ?? ''] ?? 'VaultIoError', `Cannot ${doing}: ${said}.`, {
    cause: error,
    evidence: { code },
  });
}

export async function guarded<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toVaultError(error, doing);
  }
}

/** Makes a folder and those above it, so that they survive a loss of power. */
export async function makeFolders(files: FileCalls, folder: string): Promise<void> {
  const first = await files.mkdir(folder, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  // A new folder is durable once its parent is synced: from the deepest up to the parent of the first new one.
  for (let path = folder; path.length >= first.length; path = dirname(path)) {
    await syncFolder(files, dirname(path));
  }
}

export async function syncFolder(files: FileCalls, folder: string): Promise<void> {
  const handle = await files.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One writev(2) may take fewer bytes than it was given; the rest then goes piece by piece. */
export async function writeFully(handle: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let { bytesWritten: skip } = await handle.writev(pieces);
  for (const piece of pieces) {
    let done = Math.min(skip, piece.length);
    skip -= done;
    while (done < piece.length) {
      const { bytesWritten } = await handle.write(piece, done, piece.length - done);
      done += bytesWritten;
    }
  }
}

/** Creates a file that must not exist, with its content on the disk when this returns. */
export async function writeNewFile(
  files: FileCalls,
  path: string,
  body: Uint8Array,
): Promise<void> {
  const handle = await files.open(path, 'wx', fileMode);
  try {
    await writeFully(handle, [body]);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function removeIfThere(files: FileCalls, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}
