/** Who did what to a vault: S3's own log, apart from the vault so that it does not log itself. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { except, exceptInTemplate } from '../exceptions.ts';

/** A year, and the month in which it is looked at. */
const keptDays = 400;

export class AccessLogBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, bucketName: string) {
    super(scope, id);
    // The log is written by right of a bucket policy: ACLs are off in every bucket here.
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true);
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...{ enforceSSL: true, minimumTLSVersion: 1.2 },
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          id: 'expire',
          expiration: Duration.days(keptDays),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });
    const noLog = 'A log of the log would have a log in turn.';
    except(this.bucket, 'AwsSolutions-S1', noLog);
    exceptInTemplate(this.bucket, {
      CKV_AWS_18: noLog,
      CKV_AWS_21: 'S3 writes each of its objects once, under a name of its own.',
    });
  }
}
