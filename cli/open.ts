/**
 * From the options of a command line (and the environment) to an open vault with its keys.
 *
 * `openStore` is for what runs on this machine: a vault in a folder. Its reading twin is in `read-vault.ts`.
 */
import { envNames } from '../core/contract/env.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import type { KeyRing } from '../core/keyring/key-ring.ts';
import { requireKeys } from '../core/keyring/require-keys.ts';
import { defaultKeyFilePath, loadKeyFile } from '../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../local/keyring/local-key-ring.ts';
import { type OpenVault, openVault } from '../local/vault/open-vault.ts';
import { isBucketUrl } from './aws/bucket-address.ts';
import type { VaultOptions } from './options.ts';

export interface OpenStore extends OpenVault {
  readonly keyFile: string;
  readonly keyRing: KeyRing;
}

export const namedVault = (options: VaultOptions): string | undefined =>
  options.vault || process.env[envNames.vault] || undefined;

export const namesVault = (options: VaultOptions): boolean => namedVault(options) !== undefined;

/** @throws UsageError when neither option nor environment names one, or it is a bucket */
export function vaultFolderOf(options: VaultOptions): string {
  const folder = namedVault(options);
  if (folder === undefined) throw unnamed();
  if (!isBucketUrl(folder)) return folder;
  throw new HoldfastError(
    'UsageError',
    `${folder} is a bucket; this command works with a vault in a folder.`,
    {
      hint: 'On AWS backups, restores and drills are run by the deployment: holdfast --env NAME backup SOURCE. A bucket is read by list, show, status, verify, compare and report.',
    },
  );
}

export const unnamed = (): HoldfastError =>
  new HoldfastError('UsageError', 'No vault was named.', {
    hint: `Give --vault DIR or set ${envNames.vault}; \`holdfast init --vault DIR\` makes one. For a deployment on AWS say --env NAME, as in \`holdfast --env prod status\`.`,
  });

/** `undefined`: not named, so where `init` puts it. */
export const namedKeyFile = (options: VaultOptions): string | undefined =>
  options.key || process.env[envNames.keyFile] || undefined;

/** @throws UsageError, VaultNotFoundError, VaultAccessDeniedError */
export const openVaultOf = async (options: VaultOptions): Promise<OpenVault> =>
  openVault(vaultFolderOf(options));

/** @throws as openVaultOf; KeyFileMissingError, KeyFileInsecureError; KeyMismatchError when the key is another vault's */
export async function openStore(options: VaultOptions): Promise<OpenStore> {
  const opened = await openVaultOf(options);
  const keyFile = namedKeyFile(options) ?? defaultKeyFilePath(opened.marker.vaultId, process.env);
  const keyRing = openLocalKeyRing(await loadKeyFile(keyFile));
  requireKeys(keyRing, opened.marker, `vault ${opened.root}`);
  return { ...opened, keyFile, keyRing };
}
