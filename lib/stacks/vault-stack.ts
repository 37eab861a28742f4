/**
 * Where backups live: the vault of one Region. The primary one copies itself to the replica vault, which is the same
 * stack in the other Region (and perhaps another account), with a lock of its own.
 *
 * Everything here is stateful: it is kept when the stack goes, and its logical ids never change (a test pins them).
 */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment } from '../../core/contract/environment.ts';
import type { Place } from '../../core/contract/names.ts';
import { replicationOf } from '../constructs/replication.ts';
import { VaultBucket } from '../constructs/vault-bucket.ts';

export interface VaultStackProps extends StackProps {
  readonly environment: Environment;
  readonly place: Place;
  /** Where the replica vault is; absent for the replica itself, and where there is none. */
  readonly replicaPlace?: Place | undefined;
}

export class VaultStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { environment, place, replicaPlace, ...props }: VaultStackProps,
  ) {
    super(scope, id, {
      description: `Holdfast ${environment.name}: vault for PostgreSQL backups`,
      ...props,
      env: place,
      terminationProtection: true,
    });
    const replication =
      replicaPlace &&
      replicationOf(this, { environment: environment.name, from: place, to: replicaPlace });
    const { bucket } = new VaultBucket(this, 'Vault', {
      ...{ environment, place },
      ...(replication && { replication }),
    });
    new CfnOutput(this, 'VaultBucketName', { value: bucket.bucketName });
  }
}
