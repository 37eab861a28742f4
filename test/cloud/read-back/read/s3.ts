/** Buckets and their policies. */
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketReplicationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { lifecycleFromApi, lockFromApi, replicationFromApi } from '../bucket-shapes.ts';
import { document, orNothing, type Reader } from './reader.ts';

export const bucket: Reader = async ({ s3 }, Bucket) => {
  const [versioning, encryption, block, ownership, logging, notification] = await Promise.all([
    s3.send(new GetBucketVersioningCommand({ Bucket })),
    orNothing(
      s3.send(new GetBucketEncryptionCommand({ Bucket })),
      'ServerSideEncryptionConfigurationNotFoundError',
    ),
    orNothing(
      s3.send(new GetPublicAccessBlockCommand({ Bucket })),
      'NoSuchPublicAccessBlockConfiguration',
    ),
    orNothing(
      s3.send(new GetBucketOwnershipControlsCommand({ Bucket })),
      'OwnershipControlsNotFoundError',
    ),
    s3.send(new GetBucketLoggingCommand({ Bucket })),
    s3.send(new GetBucketNotificationConfigurationCommand({ Bucket })),
  ]);
  const lock = await orNothing(
    s3.send(new GetObjectLockConfigurationCommand({ Bucket })),
    'ObjectLockConfigurationNotFoundError',
  );
  const lifecycle = await orNothing(
    s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
    'NoSuchLifecycleConfiguration',
  );
  const replication = await orNothing(
    s3.send(new GetBucketReplicationCommand({ Bucket })),
    'ReplicationConfigurationNotFoundError',
  );
  const tags = await orNothing(s3.send(new GetBucketTaggingCommand({ Bucket })), 'NoSuchTagSet');
  return {
    BucketName: Bucket,
    VersioningConfiguration: { Status: versioning.Status },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: encryption?.ServerSideEncryptionConfiguration?.Rules?.map(
        ({ ApplyServerSideEncryptionByDefault, BucketKeyEnabled }) => ({
          ServerSideEncryptionByDefault: ApplyServerSideEncryptionByDefault,
          BucketKeyEnabled,
        }),
      ),
    },
    PublicAccessBlockConfiguration: block?.PublicAccessBlockConfiguration,
    OwnershipControls: ownership?.OwnershipControls,
    LoggingConfiguration: {
      DestinationBucketName: logging.LoggingEnabled?.TargetBucket,
      LogFilePrefix: logging.LoggingEnabled?.TargetPrefix,
    },
    NotificationConfiguration: {
      EventBridgeConfiguration: {
        EventBridgeEnabled: notification.EventBridgeConfiguration !== undefined,
      },
    },
    ObjectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
    ObjectLockConfiguration: lockFromApi(lock?.ObjectLockConfiguration),
    LifecycleConfiguration: lifecycleFromApi(lifecycle),
    ReplicationConfiguration: replicationFromApi(replication?.ReplicationConfiguration),
    Tags: tags?.TagSet,
  };
};

export const bucketPolicy: Reader = async ({ s3 }, _id, { Bucket }) => {
  const name = String(Bucket);
  const { Policy } = await s3.send(new GetBucketPolicyCommand({ Bucket: name }));
  return { Bucket: name, PolicyDocument: document(Policy) };
};
