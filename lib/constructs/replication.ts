/**
 * Replication of the vault to the other Region: what is written, its tags and its locks; never a delete marker, so that
 * what a mistake deletes here is still listed there.
 *
 * Without Replication Time Control: that is 0.015 $ for each GB for a promise of 15 minutes, and ReplicateUnit looks at
 * every object itself. It sets tags and locks that lag; an object that did not come at all S3 must send (docs/retention.md).
 * Metrics are on (bytes and operations pending, for the alarm).
 */
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket, ReplicationTimeValue } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { except } from '../exceptions.ts';
import type { VaultBucketProps } from './vault-bucket.ts';
import { looksAtCopy } from './vault-policy.ts';

export interface ReplicationProps {
  readonly environment: string;
  readonly from: Place;
  readonly to: Place;
}

export function replicationOf(
  scope: Construct,
  { environment, from, to }: ReplicationProps,
): Required<VaultBucketProps>['replication'] {
  const names = namesOf(environment);
  const source = `arn:aws:s3:::${names.vaultBucket(from)}`;
  const destination = `arn:aws:s3:::${names.vaultBucket(to)}`;
  const role = new Role(scope, 'ReplicationRole', {
    roleName: names.roleName('Replication', from.region),
    description: `Holdfast ${environment}: S3 copies the vault to ${to.region}`,
    // Without conditions, as in AWS's own "Setting up permissions for live replication": nothing says that S3 sends
    // aws:SourceArn or aws:SourceAccount when it takes this role. If it does not, nothing is ever copied, with no error.
    // What the role may do is read one bucket and write copies to one other.
    assumedBy: new ServicePrincipal('s3.amazonaws.com'),
  });
  const allow = (actions: string[], resource: string) =>
    role.addToPolicy(new PolicyStatement({ actions, resources: [resource] }));
  allow(['s3:GetReplicationConfiguration', 's3:ListBucket'], source);
  allow(
    [
      ...['s3:GetObjectVersionForReplication', 's3:GetObjectVersionAcl'],
      ...['s3:GetObjectVersionTagging', 's3:GetObjectRetention', 's3:GetObjectLegalHold'],
    ],
    `${source}/*`,
  );
  // Not s3:ReplicateDelete: no delete marker is copied.
  allow(['s3:ReplicateObject', 's3:ReplicateTags'], `${destination}/*`);
  if (to.account !== from.account) allow([...looksAtCopy], destination);
  for (const objects of [`${source}/*`, `${destination}/*`]) {
    except(
      role,
      `AwsSolutions-IAM5[Resource::${objects}]`,
      'Every object of the vault is copied: the rights are for all keys of two named buckets.',
    );
  }
  return {
    replicationRole: role,
    replicationRules: [
      {
        id: 'to-the-replica-vault',
        destination: Bucket.fromBucketAttributes(scope, 'ReplicaVault', {
          ...{ bucketArn: destination, account: to.account, region: to.region },
        }),
        priority: 1,
        metrics: ReplicationTimeValue.FIFTEEN_MINUTES,
        deleteMarkerReplication: false,
      },
    ],
  };
}
