/**
 * The bucket of runs, receipts, leases and claims in one Region: neither versioned, locked nor copied. Nothing in it is
 * needed to restore.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { except, exceptInTemplate } from '../exceptions.ts';

/** A run lasts four days at most (TimeoutSeconds of restore and drill); a month is to look at what happened, and drills come weekly. */
const runDays = 35;
/** Names of executions stay taken for 90 days: a claim that goes earlier would let a run begin that cannot be started. */
const claimDays = 100;

const expiryDays: Readonly<Record<string, number>> = {
  runs: runDays,
  restores: runDays,
  claims: claimDays,
  leases: claimDays,
};

export class WorkspaceBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, bucketName: string) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...{ enforceSSL: true, minimumTLSVersion: 1.2 },
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        ...Object.entries(expiryDays).map(([folder, days]) => ({
          id: folder,
          prefix: `${folder}/`,
          expiration: Duration.days(days),
        })),
      ],
    });
    const noLog =
      'Notes of runs, written hundreds of times in each and gone in weeks: nothing in it opens or decides about a backup.';
    except(this.bucket, 'AwsSolutions-S1', noLog);
    exceptInTemplate(this.bucket, {
      CKV_AWS_18: noLog,
      CKV_AWS_21: 'Leases are overwritten all the time, and no older state of them is of use.',
    });
  }
}
