/**
 * What somebody does to keys and vaults from outside of Holdfast, as CloudTrail tells EventBridge of it. Only where a
 * trail logs it: `trail` of the environment makes one.
 */
import { namesOf } from '../../core/contract/names.ts';
import type { RegionKeys } from '../functions/region.ts';
import { vaultPlaceOf } from '../places.ts';
import type { AlarmPlace } from './alarms-of.ts';
import type { AlarmKind, alarmKinds } from './kinds.ts';

export type WatchedAlarm = {
  [K in AlarmKind]: (typeof alarmKinds)[K]['by'] extends 'rule' ? K : never;
}[AlarmKind];

export interface Watched {
  readonly source: string;
  /** Of the event's `detail`. */
  readonly detail: Readonly<Record<string, unknown>>;
}

type Keys = Pick<RegionKeys, 'encryptionKeyArn' | 'signingKeyArn'>;

const vaultOf = ({ environment, isPrimary }: AlarmPlace): string =>
  namesOf(environment.name).vaultBucket(vaultPlaceOf(environment, isPrimary));

export const watched: Readonly<Record<WatchedAlarm, (where: AlarmPlace, keys: Keys) => Watched>> = {
  'key-disabled': (_, { encryptionKeyArn, signingKeyArn }) => ({
    source: 'aws.kms',
    detail: {
      eventSource: ['kms.amazonaws.com'],
      eventName: [...lockouts],
      // A caller may name a key by its id; CloudTrail gives the ARN besides.
      resources: { ARN: [encryptionKeyArn, signingKeyArn] },
    },
  }),
  'vault-changed': (where) => ({
    source: 'aws.s3',
    detail: {
      eventSource: ['s3.amazonaws.com'],
      // PutBucketLifecycle, PutBucketReplication, PutBucketVersioning, DeleteBucketPolicy, …: the names of events are not
      // always those of the calls.
      eventName: [{ prefix: 'PutBucket' }, { prefix: 'DeleteBucket' }, { prefix: 'PutObjectLock' }],
      requestParameters: { bucketName: [vaultOf(where)] },
    },
  }),
  // Denied or not: that it was let through would be worse.
  'delete-attempted': (where) => ({
    source: 'aws.s3',
    detail: {
      eventSource: ['s3.amazonaws.com'],
      eventName: [...deletions],
      requestParameters: { bucketName: [vaultOf(where)] },
    },
  }),
};

/** After each of these nobody may be let in any more: the key is off, its policy names nobody, its primary is elsewhere. */
const lockouts = [
  ...['DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'UpdatePrimaryRegion'],
] as const;

/** Data events. What lifecycle removes is none. */
export const deletions = ['DeleteObject', 'DeleteObjects'] as const;
