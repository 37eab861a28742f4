/**
 * The bucket of a vault, the same in both Regions: versioned, locked, encrypted, closed, logged; what is in it is kept
 * when the stack goes.
 *
 * Invariants: every object is locked from birth; what goes is decided by `core/backup/retention.ts` alone.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type LifecycleRule as BucketRule,
  type CfnBucket,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type LifecycleRule, lifecycleRulesOf } from '../../core/backup/retention.ts';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { AccessLogBucket } from './access-log-bucket.ts';
import { guardVault } from './vault-policy.ts';

export interface VaultBucketProps {
  readonly environment: Environment;
  readonly place: Place;
  readonly replication?: Required<Pick<BucketProps, 'replicationRole' | 'replicationRules'>>;
}

export class VaultBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { environment, place, replication }: VaultBucketProps) {
    super(scope, id);
    const names = namesOf(environment.name);
    const { mode, defaultDays } = environment.lock;
    const days = Duration.days(defaultDays);
    const rules = lifecycleRulesOf(environment.sources);
    const log = new AccessLogBucket(this, 'AccessLog', names.accessLogBucket(place));
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: names.vaultBucket(place),
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        mode === 'COMPLIANCE'
          ? ObjectLockRetention.compliance(days)
          : ObjectLockRetention.governance(days),
      // SSE-S3: the content is encrypted by us, and SSE-KMS multipart uploads would need kms:Decrypt, which the role
      // that dumps must not have.
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...{ enforceSSL: true, minimumTLSVersion: 1.2 },
      ...{ serverAccessLogsBucket: log.bucket as IBucket, serverAccessLogsPrefix: 'vault/' },
      lifecycleRules: rules.map(toBucketRule),
      ...(replication !== undefined && replication),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // As a property of the bucket: the construct's own option would make a function that sets it.
    const resource = this.bucket.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    sizesAsText(resource, rules);
    guardVault(this.bucket, environment, place);
  }
}

/** Word for word: what a rule means is decided where it is made. */
function toBucketRule(rule: LifecycleRule): BucketRule {
  const { id, prefix, tag, largerThanBytes, transition } = rule;
  const { expirationDays, noncurrentDays, abortUploadDays, removesExpiredDeleteMarkers } = rule;
  return {
    id,
    ...(prefix !== '' && { prefix }),
    ...(tag !== undefined && { tagFilters: { [tag.key]: tag.value } }),
    ...(largerThanBytes !== undefined && { objectSizeGreaterThan: largerThanBytes }),
    ...(expirationDays !== undefined && { expiration: Duration.days(expirationDays) }),
    ...(noncurrentDays !== undefined && {
      noncurrentVersionExpiration: Duration.days(noncurrentDays),
    }),
    ...(abortUploadDays !== undefined && {
      abortIncompleteMultipartUploadAfter: Duration.days(abortUploadDays),
    }),
    ...(removesExpiredDeleteMarkers && { expiredObjectDeleteMarker: true }),
    ...(transition !== undefined && {
      transitions: [
        {
          storageClass: new StorageClass(transition.storageClass),
          transitionAfter: Duration.days(transition.afterDays),
        },
      ],
    }),
  };
}

/** CloudFormation takes this number as a text; the construct writes it as a number. */
function sizesAsText(resource: CfnBucket, rules: readonly LifecycleRule[]): void {
  rules.forEach(({ largerThanBytes }, index) => {
    if (largerThanBytes === undefined) return;
    const path = `LifecycleConfiguration.Rules.${index}.ObjectSizeGreaterThan`;
    resource.addPropertyOverride(path, String(largerThanBytes));
  });
}
