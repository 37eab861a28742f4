/**
 * A vault for the commands that only read: in a folder, or in a bucket (`--vault s3://…`, or that of `--env NAME`).
 *
 * Invariant: a vault in a folder loads nothing of AWS.
 */
import type { VaultMarker } from '../core/contract/catalogue.ts';
import type { Deps } from '../core/contract/deps.ts';
import type { Environment } from '../core/contract/environment.ts';
import type { KeyRing } from '../core/keyring/key-ring.ts';
import { requireKeys } from '../core/keyring/require-keys.ts';
import type { Vault, Workspace } from '../core/vault/vault.ts';
import { defaultKeyFilePath, loadKeyFile } from '../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../local/keyring/local-key-ring.ts';
import { bucketOf, isBucketUrl, workspaceBucketOf } from './aws/bucket-address.ts';
import { loadEnvironmentFile, vaultUrlOf, workspaceUrlOf } from './environment-file.ts';
import { namedKeyFile, namedVault, openStore, openVaultOf, unnamed } from './open.ts';
import type { VaultOptions } from './options.ts';
import { printLine } from './output/streams.ts';

export interface ReadableVault {
  readonly marker: VaultMarker;
  readonly vault: Vault;
}

export interface ReadableStore extends ReadableVault {
  readonly keyRing: KeyRing;
  /** Where only the deployment signs: says so instead. */
  readonly record?: NonNullable<Deps['record']>;
}

/** @throws UsageError, VaultNotFoundError, VaultAccessDeniedError; AwsAccessDeniedError … of a bucket */
export async function readVault(options: VaultOptions): Promise<ReadableVault> {
  const { url } = await placeOfVault(options);
  if (url === undefined) return openVaultOf(options);
  const { openBucketVault } = await import('./aws/open-bucket.ts');
  return openBucketVault(bucketOf('--vault', url), options.region);
}

/** @throws as readVault; KeyMismatchError, KeyFileMissingError …; KeyAccessDeniedError, KeyUnavailableError … of KMS */
export async function readStore(options: VaultOptions): Promise<ReadableStore> {
  const { url, environment } = await placeOfVault(options);
  if (url === undefined) return openStore(options);
  const [{ openBucketVault, openBucketKeys }, { isKmsKeyId }] = await Promise.all([
    import('./aws/open-bucket.ts'),
    import('../aws/keyring/key-of-id.ts'),
  ]);
  const opened = await openBucketVault(bucketOf('--vault', url), options.region);
  const { marker, vault } = opened;
  const isOfKms = isKmsKeyId(marker.encryptionKeyId);
  const keyRing = isOfKms
    ? await openBucketKeys(opened, environment)
    : await keysOfFile(options, marker);
  requireKeys(keyRing, marker, `vault ${vault.location}`);
  return { marker, vault, keyRing, ...(isOfKms && { record: notRecorded }) };
}

/** Where the records of runs are: `report`, `list --failed`. */
export async function readWorkspace(options: VaultOptions): Promise<Workspace> {
  const { url, environment } = await placeOfVault(options);
  if (url === undefined) return (await openVaultOf(options)).workspace;
  const beside =
    environment !== undefined && !options.vault
      ? workspaceUrlOf(environment, options.dr === true)
      : undefined;
  const bucket = workspaceBucketOf(bucketOf('--vault', url), options.workspace ?? beside);
  const { openBucketWorkspace } = await import('./aws/open-bucket.ts');
  return openBucketWorkspace(bucket, options.region);
}

/** @returns no `url` for a folder. `--vault` goes before `--env`, and both before the variable. */
async function placeOfVault(
  options: VaultOptions,
): Promise<{ readonly url?: string; readonly environment?: Environment }> {
  const environment =
    options.env === undefined ? undefined : await loadEnvironmentFile(options.env);
  const deployed = environment && vaultUrlOf(environment, options.dr === true);
  const place = (options.vault || deployed) ?? namedVault(options);
  if (place === undefined) throw unnamed();
  return {
    ...(isBucketUrl(place) && { url: place }),
    ...(environment !== undefined && { environment }),
  };
}

async function keysOfFile(options: VaultOptions, { vaultId }: VaultMarker): Promise<KeyRing> {
  const file = namedKeyFile(options) ?? defaultKeyFilePath(vaultId, process.env);
  return openLocalKeyRing(await loadKeyFile(file));
}

/** What a person finds is told; in the vault counts what the deployment has found, since nobody else may sign. */
const notRecorded: NonNullable<Deps['record']> = async ({ kind, backupId }) => {
  printLine(
    `Not recorded in the vault: that ${backupId} is ${kind}. On AWS only the deployment signs; a drill (holdfast --env NAME drill) leaves a record.`,
  );
  return '';
};
