/**
 * A trail of CloudTrail for one Region, where the environment asks for one: without a trail EventBridge hears of no call.
 *
 * Of data events only deletes in the vault are logged: nobody makes any, so that it costs next to nothing.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { namesOf } from '../../core/contract/names.ts';
import type { AlarmPlace } from '../alarms/alarms-of.ts';
import { deletions } from '../alarms/watched.ts';
import { except, exceptInTemplate } from '../exceptions.ts';
import { vaultPlaceOf } from '../places.ts';

/** As the access log of the vault. */
const keptDays = 400;

export class VaultTrail extends Construct {
  constructor(scope: Construct, id: string, { environment, place, isPrimary }: AlarmPlace) {
    super(scope, id);
    const names = namesOf(environment.name);
    const { account, region } = place;
    const bucket = new Bucket(this, 'Bucket', {
      bucketName: names.trailBucket(place),
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: true,
      ...{ enforceSSL: true, minimumTLSVersion: 1.2 },
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [
        {
          id: 'expire',
          expiration: Duration.days(keptDays),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });
    const noLog = 'It holds a log; CloudTrail signs what it writes (digests).';
    except(bucket, 'AwsSolutions-S1', noLog);
    exceptInTemplate(bucket, { CKV_AWS_18: noLog });

    const principals = [new ServicePrincipal('cloudtrail.amazonaws.com')];
    const trailArn = `arn:aws:cloudtrail:${region}:${account}:trail/${names.trail}`;
    const ofTrail = { 'aws:SourceArn': trailArn };
    bucket.addToResourcePolicy(
      new PolicyStatement({
        ...{ principals, actions: ['s3:GetBucketAcl'], resources: [bucket.bucketArn] },
        conditions: { StringEquals: ofTrail },
      }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        ...{ principals, actions: ['s3:PutObject'] },
        resources: [bucket.arnForObjects(`AWSLogs/${account}/*`)],
        conditions: { StringEquals: { ...ofTrail, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    );

    const vault = names.vaultBucket(vaultPlaceOf(environment, isPrimary));
    const trail = new CfnTrail(this, 'Trail', {
      trailName: names.trail,
      ...{ isLogging: true, isMultiRegionTrail: false, includeGlobalServiceEvents: false },
      ...{ s3BucketName: bucket.bucketName, enableLogFileValidation: true },
      advancedEventSelectors: [
        {
          name: 'what changes keys and buckets',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Management'] },
            { field: 'readOnly', equalTo: ['false'] },
          ],
        },
        {
          name: 'deletes in the vault',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Data'] },
            { field: 'resources.type', equalTo: ['AWS::S3::Object'] },
            { field: 'resources.ARN', startsWith: [`arn:aws:s3:::${vault}/`] },
            { field: 'eventName', equalTo: [...deletions] },
          ],
        },
      ],
    });
    // CloudTrail tries the bucket when it is made.
    if (bucket.policy !== undefined) trail.node.addDependency(bucket.policy);
    exceptInTemplateOf(trail);
  }
}

function exceptInTemplateOf(trail: CfnTrail): void {
  const skip = [
    { id: 'CKV_AWS_35', comment: 'SSE-S3: what it says of calls is no secret of the backups.' },
    {
      id: 'CKV_AWS_67',
      comment: 'One in each Region that Holdfast works in, each without the other.',
    },
    {
      id: 'CKV_AWS_252',
      comment: 'EventBridge tells of what matters; nobody waits for log files.',
    },
    {
      id: 'CKV2_AWS_10',
      comment: 'EventBridge tells of what matters; there are no metric filters.',
    },
  ];
  trail.addMetadata('checkov', { skip });
}
