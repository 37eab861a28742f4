/** What the doctor asks about the folder of a vault: free space and permission bits. */
import { stat, statfs } from 'node:fs/promises';

export interface DirectoryStorage {
  /** Bytes that this user may still write there. */
  freeBytes(): Promise<number>;
  /** undefined on Windows, which has no such bits. */
  folderMode(): Promise<number | undefined>;
}

export function directoryStorage(folder: string): DirectoryStorage {
  return {
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    async folderMode() {
      return process.platform === 'win32' ? undefined : (await stat(folder)).mode & 0o777;
    },
  };
}
