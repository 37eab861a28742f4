/**
 * What a vault refuses to everybody, whatever IAM allows them, and whom it lets in from another account.
 *
 * Invariants: an object is written once and deleted by nobody but S3's lifecycle; its tags and locks, which decide when
 * that is, are changed by our functions alone; the bucket's own settings by CloudFormation alone. The way past it all is
 * a role that does not exist until an administrator makes it (`breakGlassRole`); besides, the root user of an account can
 * always take a bucket policy away.
 */
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { actionsOnBucket, rolesOnBucket } from '../holders.ts';

/** What decides, through lifecycle and lock, how long an object lives. */
const marking = [
  ...['s3:PutObjectTagging', 's3:PutObjectVersionTagging', 's3:DeleteObjectTagging'],
  ...['s3:DeleteObjectVersionTagging', 's3:PutObjectRetention', 's3:PutObjectLegalHold'],
];

/** What the role that copies asks of a bucket in another account, as in AWS's example: it must be versioned. */
export const looksAtCopy = ['s3:GetBucketVersioning', 's3:ListBucket'] as const;

const settings = [
  ...[
    's3:DeleteBucket',
    's3:DeleteBucketPolicy',
    's3:PutBucketLogging',
    's3:PutBucketNotification',
  ],
  ...['s3:PutBucketObjectLockConfiguration', 's3:PutBucketOwnershipControls', 's3:PutBucketPolicy'],
  ...['s3:PutBucketPublicAccessBlock', 's3:PutBucketVersioning', 's3:PutEncryptionConfiguration'],
  ...['s3:PutLifecycleConfiguration', 's3:PutReplicationConfiguration'],
];

export function guardVault(bucket: Bucket, environment: Environment, place: Place): void {
  const names = namesOf(environment.name);
  const arn = `arn:aws:s3:::${names.vaultBucket(place)}`;
  const objects = bucket.arnForObjects('*');
  const breakGlass = `arn:aws:iam::${place.account}:role/${names.breakGlassRole}`;
  const except = (...roles: string[]) => ({
    ArnNotLike: { 'aws:PrincipalArn': [...roles, breakGlass] },
  });

  deny(bucket, 'WriteOnce', ['s3:PutObject'], objects, {
    Null: { 's3:if-none-match': 'true' },
    // False for parts of a multipart upload, which take no such header; CompleteMultipartUpload does. Replication is
    // s3:ReplicateObject and is not meant here.
    Bool: { 's3:ObjectCreationOperation': 'true' },
  });
  const deletion = ['s3:BypassGovernanceRetention', 's3:DeleteObject', 's3:DeleteObjectVersion'];
  deny(bucket, 'NobodyDeletes', deletion, objects, except());
  const { account, regions } = environment;
  // Copies come with their tags and locks.
  const replication = names.roleArn('Replication', { account, region: regions.primary });
  const markers = [...rolesOnBucket(environment, arn, marking), replication];
  deny(bucket, 'OnlyHoldfastMarks', marking, objects, except(...markers));
  deny(bucket, 'OnlyDeploymentConfigures', settings, bucket.bucketArn, {
    ...except(
      ...environment.deployRoles.map((role) => `arn:aws:iam::${place.account}:role/${role}`),
    ),
    // A deployment without a role of its own goes through CloudFormation with the person's rights.
    'ForAllValues:StringNotEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' },
  });

  if (place.account !== account) letInFrom(bucket, environment, arn, replication);
}

/** What each role may do here its own policy says; both have to allow it. */
function letInFrom(
  bucket: Bucket,
  environment: Environment,
  arn: string,
  replication: string,
): void {
  const { account } = environment;
  const allow = (sid: string, actions: string[], resource: string, roles: string[]) =>
    bucket.addToResourcePolicy(
      new PolicyStatement({
        ...{ sid, actions, resources: [resource], principals: [new AccountPrincipal(account)] },
        conditions: { ArnEquals: { 'aws:PrincipalArn': roles } },
      }),
    );
  const ofBucket = (action: string) => action.startsWith('s3:ListBucket');
  const actions = actionsOnBucket(environment, arn);
  const roles = rolesOnBucket(environment, arn);
  const objects = bucket.arnForObjects('*');
  allow('FunctionsList', actions.filter(ofBucket), bucket.bucketArn, roles);
  allow(
    'FunctionsWork',
    actions.filter((action) => !ofBucket(action)),
    objects,
    roles,
  );
  // Ownership is enforced, so that a copy belongs to the bucket's account without being made over.
  allow('Replicate', ['s3:ReplicateObject', 's3:ReplicateTags'], objects, [replication]);
  allow('ReplicateLook', [...looksAtCopy], bucket.bucketArn, [replication]);
}

function deny(
  bucket: Bucket,
  sid: string,
  actions: string[],
  resource: string,
  conditions: Record<string, unknown>,
): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      ...{ sid, actions, conditions, effect: Effect.DENY },
      ...{ resources: [resource], principals: [new AnyPrincipal()] },
    }),
  );
}
