/**
 * A folder becomes a vault (`initVault`) and is opened as one (`openVault`): the marker `vault.json` says that it is
 * one, and which keys belong to it.
 *
 * Invariant: the marker is written last and once; a folder with anything else in it is never taken over.
 */
import { randomBytes } from 'node:crypto';
import { chmod, readdir, realpath, stat, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { VaultMarker } from '../../core/contract/catalogue.ts';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import { encodeJson } from '../../core/vault/json.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { readVaultMarker } from '../../core/vault/marker.ts';
import type { Vault, Workspace } from '../../core/vault/vault.ts';
import { createKeyFile, type LoadedKeyFile, loadKeyFile } from '../keyring/key-file.ts';
import { openDirectoryVault, workspaceFolder } from './directory-vault.ts';
import { openDirectoryWorkspace } from './directory-workspace.ts';
import { folderMode, guarded, isAbsent, makeFolders, realFiles } from './files.ts';

export interface OpenVault {
  readonly root: string;
  readonly marker: VaultMarker;
  readonly vault: Vault;
  readonly workspace: Workspace;
}

export interface InitOptions {
  /** Where the key file is or shall be; as a function when it depends on the new vault's id. */
  readonly keyFile: string | ((vaultId: string) => string);
  readonly now?: Date;
}

/** A fresh file system has this folder; it does not make one "not empty". */
const ignoredNames = ['lost+found'];
/** No write of ours takes a day: what is older in `.tmp` was left by a process that was killed. */
const leftoverAfterMs = 24 * 3600 * 1000;

/**
 * Makes a vault in a folder that is new or empty, and a key file unless there is one already.
 * @throws UsageError when the folder is a vault already, is not empty, or would hold its own key
 * @throws KeyFileInsecureError, KeyMismatchError for a key file that is there; VaultAccessDeniedError …
 */
export async function initVault(
  root: string,
  options: InitOptions,
): Promise<OpenVault & { readonly keyFile: string }> {
  const folder = resolve(root);
  await assertEmpty(folder);
  const vaultId = `v-${base32(randomBytes(10))}`;
  const wanted = options.keyFile;
  const keyFile = resolve(typeof wanted === 'string' ? wanted : wanted(vaultId));
  if (isInside(await realPathOf(folder), await realPathOf(keyFile))) {
    throw new HoldfastError('UsageError', `The key file ${keyFile} would lie inside the vault.`, {
      hint: 'Keep the key apart from the backups: whoever has both can read them.',
    });
  }
  await guarded(`make the vault ${folder}`, async () => {
    await makeFolders(realFiles, folder);
    await chmod(folder, folderMode);
  });
  const keys = await makeOrLoadKeys(keyFile);
  const marker: VaultMarker = {
    format: 'holdfast-vault',
    formatVersion: 1,
    vaultId,
    createdAt: (options.now ?? new Date()).toISOString(),
    encryptionKeyId: keys.encryptionKeyId,
    signingKeyId: keys.signingKeyId,
  };
  const vault = openDirectoryVault(folder);
  await vault.put(vaultKeys.marker, encodeJson(marker));
  const workspace = openDirectoryWorkspace(join(folder, workspaceFolder));
  return { root: folder, marker, vault, workspace, keyFile };
}

/** With links followed as far as the path exists: `/backups/key` may be a link into the vault. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPathOf(parent), basename(path));
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** @throws VaultNotFoundError when the folder is none; VaultAccessDeniedError when that cannot be seen */
export async function openVault(root: string): Promise<OpenVault> {
  const folder = resolve(root);
  const vault = openDirectoryVault(folder);
  const marker = await readVaultMarker(vault);
  await sweepLeftovers(folder);
  const workspace = openDirectoryWorkspace(join(folder, workspaceFolder));
  return { root: folder, marker, vault, workspace };
}

async function assertEmpty(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (isAbsent(error)) return;
    throw await guarded(`look into ${folder}`, () => Promise.reject(error)).catch(
      (e: unknown) => e,
    );
  }
  if (names.includes(vaultKeys.marker)) {
    throw new HoldfastError('UsageError', `${folder} is a vault already.`, {
      hint: 'Use it as it is, or make the new vault in another folder.',
    });
  }
  const found = names.filter((name) => !ignoredNames.includes(name));
  if (found.length > 0) {
    throw new HoldfastError(
      'UsageError',
      `${folder} is not empty (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}).`,
      { hint: 'Make the vault in a new or empty folder.' },
    );
  }
}

async function makeOrLoadKeys(keyFile: string): Promise<LoadedKeyFile> {
  try {
    return await loadKeyFile(keyFile);
  } catch (error) {
    if (!isHoldfastError(error, 'KeyFileMissingError')) throw error;
    return createKeyFile(keyFile);
  }
}

/** Best effort: a reader without write rights, or a second process that sweeps too, is no reason to fail. */
async function sweepLeftovers(folder: string): Promise<void> {
  for (const temporary of [join(folder, '.tmp'), join(folder, workspaceFolder, '.tmp')]) {
    const names = await readdir(temporary).catch(() => []);
    for (const name of names) {
      const path = join(temporary, name);
      const age = await stat(path).then(
        (stats) => Date.now() - stats.mtimeMs,
        () => 0,
      );
      if (age > leftoverAfterMs) await unlink(path).catch(() => {});
    }
  }
}

/** RFC 4648 lower case without padding; 10 bytes are 16 characters. */
function base32(bytes: Uint8Array): string {
  const digits = 'abcdefghijklmnopqrstuvwxyz234567';
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let left = bytes.length * 8; left > 0; left -= 5) {
    text = digits[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}
