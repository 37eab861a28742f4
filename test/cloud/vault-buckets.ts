/** Buckets as the vault stacks make them (versioned, locked, replicated), with random names, for tests without stacks. */
import { randomBytes } from 'node:crypto';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { s3ClientSettings } from '../../aws/vault/client-settings.ts';
import { primaryRegion, replicaRegion, s3Settings } from './emulator-clients.ts';

export const bucketName = (what: string): string =>
  `holdfast-test-${what}-${randomBytes(6).toString('hex')}`;

/** A bucket with versioning and Object Lock (without a default retention). */
export async function makeVaultBucket(region = primaryRegion, name = bucketName('vault')) {
  const s3 = new S3Client({ ...s3Settings(region), ...s3ClientSettings });
  await s3.send(
    new CreateBucketCommand({
      Bucket: name,
      ObjectLockEnabledForBucket: true,
      CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
    }),
  );
  await s3.send(
    new PutBucketVersioningCommand({
      Bucket: name,
      VersioningConfiguration: { Status: 'Enabled' },
    }),
  );
  return { s3, bucket: name };
}

/** Neither versioned nor locked. */
export async function makeWorkspaceBucket(region = primaryRegion, name = bucketName('workspace')) {
  const s3 = new S3Client({ ...s3Settings(region), ...s3ClientSettings });
  await s3.send(
    new CreateBucketCommand({
      Bucket: name,
      CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint },
    }),
  );
  return { s3, bucket: name };
}

/** A vault bucket and its replica in the other Region, each with a client of its Region. */
export async function makeReplicatedBuckets(
  names = { primary: bucketName('vault'), replica: bucketName('replica') },
) {
  const primary = await makeVaultBucket(primaryRegion, names.primary);
  const replica = await makeVaultBucket(replicaRegion, names.replica);
  await primary.s3.send(
    new PutBucketReplicationCommand({
      Bucket: primary.bucket,
      ReplicationConfiguration: {
        Role: 'arn:aws:iam::123456789012:role/replication',
        Rules: [
          {
            Status: 'Enabled',
            Priority: 1,
            Filter: { Prefix: '' },
            DeleteMarkerReplication: { Status: 'Disabled' },
            Destination: { Bucket: `arn:aws:s3:::${replica.bucket}` },
          },
        ],
      },
    }),
  );
  return { primary, replica };
}
