/**
 * What the emulator's CloudFormation is known to drop, by type and property. What can be put in place by the service's own
 * API is, with the template's own values; the rest is named here and in docs/fidelity.md. Anything else that is missing
 * fails the gate, and so does a line here that is not needed any more.
 */
import {
  PutBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
  PutBucketTaggingCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { lifecycleToApi, replicationToApi } from './bucket-shapes.ts';
import type { ResourceFinding } from './gate.ts';
import type { Clients } from './read/reader.ts';

export interface KnownDrop {
  readonly type: string;
  readonly property: string;
  readonly why: string;
  /** Puts the template's value in place; absent: it stays missing. */
  readonly put?: (clients: Clients, physicalId: string, wanted: never) => Promise<unknown>;
}

type Wanted<F extends (...args: never[]) => unknown> = Parameters<F>[0];

export const knownDrops: readonly KnownDrop[] = [
  {
    type: 'AWS::S3::Bucket',
    property: 'ObjectLockConfiguration',
    why: 'not set by its CloudFormation',
    put: ({ s3 }, Bucket, wanted: object) =>
      s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: wanted })),
  },
  {
    type: 'AWS::S3::Bucket',
    property: 'LifecycleConfiguration',
    why: 'not set by its CloudFormation',
    put: ({ s3 }, Bucket, wanted: { Rules: Wanted<typeof lifecycleToApi> }) =>
      s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: lifecycleToApi(wanted.Rules),
        }),
      ),
  },
  {
    type: 'AWS::S3::Bucket',
    property: 'ReplicationConfiguration',
    why: 'not set by its CloudFormation',
    put: ({ s3 }, Bucket, wanted: Wanted<typeof replicationToApi>) =>
      s3.send(
        new PutBucketReplicationCommand({
          Bucket,
          ReplicationConfiguration: replicationToApi(wanted),
        }),
      ),
  },
  {
    type: 'AWS::S3::Bucket',
    property: 'Tags',
    why: 'not set by its CloudFormation',
    put: ({ s3 }, Bucket, TagSet: []) =>
      s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } })),
  },
];

export const knownDropOf = ({ type, property }: ResourceFinding): KnownDrop | undefined =>
  knownDrops.find((drop) => drop.type === type && drop.property === property);
