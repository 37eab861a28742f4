/**
 * A vault in a bucket, for reading: `--vault s3://BUCKET`, also a replica's, which has keys of its own Region.
 *
 * Invariant: nothing but vault, keys and (for reports) workspace is asked, all in the Region of the bucket: a vault can
 * be read while its functions, and the other Region, are gone.
 */
import { keyArnOf } from '../../aws/keyring/key-of-id.ts';
import { openKmsKeyRing } from '../../aws/keyring/kms-key-ring.ts';
import { bucketRegion } from '../../aws/vault/bucket-region.ts';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import type { VaultMarker } from '../../core/contract/catalogue.ts';
import type { Environment } from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { KeyRing } from '../../core/keyring/key-ring.ts';
import { readVaultMarker } from '../../core/vault/marker.ts';
import type { Vault, Workspace } from '../../core/vault/vault.ts';
import { printLine } from '../output/streams.ts';
import { ownNameOf } from './bucket-address.ts';
import { anyRegion, kmsClient, s3Client } from './clients.ts';
import { requireCredentials } from './credentials.ts';

export interface BucketVault {
  readonly region: string;
  readonly marker: VaultMarker;
  readonly vault: Vault;
}

/**
 * @param region as `--region` gives it; by default S3 is asked
 * @throws AwsAccessDeniedError, VaultAccessDeniedError, VaultNotFoundError; UsageError for the wrong Region
 */
export async function openBucketVault(bucket: string, region?: string): Promise<BucketVault> {
  const found = await findRegion(bucket, region);
  // Without a lock's mode there is no vault; nothing that only reads sets a lock.
  const lockMode = 'GOVERNANCE';
  const vault = openS3Vault({ s3: s3Client(found), bucket, lockMode, ...ownerOf(bucket) });
  return { region: found, marker: await readVaultMarker(vault), vault };
}

export async function openBucketWorkspace(bucket: string, region?: string): Promise<Workspace> {
  return openS3Workspace({ s3: s3Client(await findRegion(bucket, region)), bucket });
}

async function findRegion(bucket: string, named: string | undefined): Promise<string> {
  const said = named ?? ownNameOf(bucket)?.place.region;
  const s3 = s3Client(said ?? anyRegion());
  await requireCredentials(s3);
  const found = await bucketRegion(s3, bucket);
  if (named !== undefined && found !== undefined && found !== named) {
    throw new HoldfastError(
      'UsageError',
      `--region ${named}: the bucket ${bucket} is in ${found}.`,
      {
        hint: 'Leave --region out: it is found by itself.',
      },
    );
  }
  return found ?? said ?? anyRegion();
}

/**
 * The keys of KMS that the marker names, in the Region of the bucket.
 * @param environment whose pinned keys are trusted; without one KMS is asked for the signing key's public half
 */
export async function openBucketKeys(
  { region, marker, vault }: BucketVault,
  environment?: Environment,
): Promise<KeyRing> {
  const kms = kmsClient(region);
  const publicKeys = environment?.signingPublicKeys ?? [];
  if (publicKeys.length === 0) notePins(vault.location, marker.signingKeyId, environment?.name);
  const [encryptionKeyArn, signingKeyArn] = await Promise.all([
    keyArnOf(kms, marker.encryptionKeyId),
    keyArnOf(kms, marker.signingKeyId),
  ]);
  return openKmsKeyRing({ kms, encryptionKeyArn, signingKeyArn, publicKeys });
}

const noted = new Set<string>();

/** Once, though a comparison opens two sides. */
function notePins(location: string, keyId: string, environment: string | undefined): void {
  if (noted.has(location)) return;
  noted.add(location);
  const cure =
    environment === undefined
      ? '--env NAME checks with the keys that environments/NAME.json pins'
      : `signingPublicKeys of environment ${environment} would pin it`;
  printLine(
    `Signatures are checked with the key ${keyId} that ${location} names, as KMS of this account knows it (${cure}).`,
  );
}

/** Names of our buckets say whose they are: one that became somebody else's is refused. */
function ownerOf(bucket: string): { readonly expectedBucketOwner?: string } {
  const own = ownNameOf(bucket);
  return own === undefined ? {} : { expectedBucketOwner: own.place.account };
}
