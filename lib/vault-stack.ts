/**
 * Where backups live on AWS: the locked bucket, the key for their content and the key for their signatures.
 *
 * Everything here is stateful: it is kept when the stack goes, and its logical ids never change (a test pins them).
 */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface VaultStackProps extends StackProps {
  /** Part of every description, so that two environments in one account can be told apart. */
  readonly environment: string;
}

/** A run's objects are locked from birth for this long; publishing extends it per object. */
const DEFAULT_LOCK = Duration.days(1);

export class VaultStack extends Stack {
  constructor(scope: Construct, id: string, props: VaultStackProps) {
    super(scope, id, {
      ...props,
      description: `Holdfast ${props.environment}: vault for PostgreSQL backups`,
    });

    // The log is written by right of a bucket policy: ACLs are off in every bucket here.
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true);
    const accessLog = new Bucket(this, 'VaultAccessLog', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ expiration: Duration.days(400) }],
    });

    // SSE-S3: the content is encrypted by us, and SSE-KMS multipart uploads would need kms:Decrypt,
    // which the role that dumps must not have.
    const vault = new Bucket(this, 'Vault', {
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.governance(DEFAULT_LOCK),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      serverAccessLogsBucket: accessLog as IBucket,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    const encryptionKey = new Key(this, 'EncryptionKey', {
      description: `Holdfast ${props.environment}: wraps the data keys of backups`,
      multiRegion: true,
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const signingKey = new Key(this, 'SigningKey', {
      description: `Holdfast ${props.environment}: signs manifests and evidence`,
      multiRegion: true,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN,
    });

    new CfnOutput(this, 'VaultBucketName', { value: vault.bucketName });
    new CfnOutput(this, 'EncryptionKeyArn', { value: encryptionKey.keyArn });
    new CfnOutput(this, 'SigningKeyArn', { value: signingKey.keyArn });
  }
}
