/** The ports of one machine: a directory vault, its workspace, a key file, and one connection. */
import type { Deps, Progress } from '../../core/contract/deps.ts';
import { requireKeys } from '../../core/keyring/require-keys.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { defaultKeyFilePath, loadKeyFile } from '../keyring/key-file.ts';
import { openLocalKeyRing } from '../keyring/local-key-ring.ts';
import { openVault } from '../vault/open-vault.ts';
import { runCommand } from './run-command.ts';
import { holdfastVersion } from './version.ts';

export interface LocalOptions {
  readonly vaultDirectory: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  readonly connection: ConnectionSettings;
  readonly onProgress?: (event: Progress) => void;
}

/**
 * @throws VaultNotFoundError, VaultAccessDeniedError; KeyFileMissingError, KeyFileInsecureError, KeyMismatchError
 * before anything of the vault but its marker is read
 */
export async function openLocalDeps(
  options: LocalOptions,
): Promise<{ readonly deps: Deps; readonly keyFile: string }> {
  const { root, marker, vault, workspace } = await openVault(options.vaultDirectory);
  const keyFile = options.keyFile ?? defaultKeyFilePath(marker.vaultId, process.env);
  const keyRing = openLocalKeyRing(await loadKeyFile(keyFile));
  requireKeys(keyRing, marker, `vault ${root}`);
  const deps: Deps = {
    vault,
    vaultId: marker.vaultId,
    workspace,
    keyRing,
    connectionOf: async () => options.connection,
    runCommand: (command, environment, limits) =>
      runCommand(command, environment, { ...limits, tls: options.connection }),
    now: () => new Date(),
    progress: options.onProgress ?? (() => undefined),
    toolVersions: { holdfast: holdfastVersion(), node: process.versions.node },
  };
  return { deps, keyFile };
}
