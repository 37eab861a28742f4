/**
 * What the emulator's CloudFormation is known to drop, by type and property. What can be put in place by the service's own
 * API is, with the template's own values; the rest is named here and in docs/fidelity.md. Anything else that is missing
 * fails the gate, and so does a line here that is not needed any more.
 */
import {
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketReplicationCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { GetScheduleCommand, UpdateScheduleCommand } from '@aws-sdk/client-scheduler';
import { type LogLevel, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { SetTopicAttributesCommand } from '@aws-sdk/client-sns';
import { lifecycleToApi, replicationToApi } from './bucket-shapes.ts';
import type { ResourceFinding } from './gate.ts';
import type { Clients, Properties } from './read/reader.ts';

export interface KnownDrop {
  readonly type: string;
  readonly property: string;
  readonly why: string;
  /** Puts the template's value in place; absent: it stays missing. */
  readonly put?: (
    clients: Clients,
    physicalId: string,
    wanted: never,
    properties: Properties,
  ) => Promise<unknown>;
}

type Wanted<F extends (...args: never[]) => unknown> = Parameters<F>[0];

interface TemplateLogging {
  readonly Level: LogLevel;
  readonly IncludeExecutionData: boolean;
  readonly Destinations: readonly {
    readonly CloudWatchLogsLogGroup: { readonly LogGroupArn: string };
  }[];
}

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
    property: 'ObjectLockEnabled',
    why: 'not set by its CloudFormation; comes with ObjectLockConfiguration',
  },
  {
    type: 'AWS::S3::Bucket',
    property: 'LoggingConfiguration',
    why: 'not set by its CloudFormation',
    put: ({ s3 }, Bucket, wanted: { DestinationBucketName: string; LogFilePrefix?: string }) =>
      s3.send(
        new PutBucketLoggingCommand({
          Bucket,
          BucketLoggingStatus: {
            LoggingEnabled: {
              TargetBucket: wanted.DestinationBucketName,
              TargetPrefix: wanted.LogFilePrefix ?? '',
            },
          },
        }),
      ),
  },
  {
    type: 'AWS::SNS::Topic',
    property: 'KmsMasterKeyId',
    why: 'not set by its CloudFormation',
    put: ({ sns }, TopicArn, AttributeValue: string) =>
      sns.send(
        new SetTopicAttributesCommand({
          TopicArn,
          AttributeName: 'KmsMasterKeyId',
          AttributeValue,
        }),
      ),
  },
  {
    type: 'AWS::Scheduler::Schedule',
    property: 'ScheduleExpressionTimezone',
    why: 'its CloudFormation takes UTC for all',
    put: async ({ scheduler }, _id, ScheduleExpressionTimezone: string, properties) => {
      const { GroupName, Name } = properties as { GroupName: string; Name: string };
      const {
        Arn: _,
        CreationDate: __,
        LastModificationDate: ___,
        ...it
      } = await scheduler.send(new GetScheduleCommand({ GroupName, Name }));
      const { FlexibleTimeWindow, ScheduleExpression, Target } = it;
      await scheduler.send(
        new UpdateScheduleCommand({
          ...it,
          ...{ GroupName, Name, FlexibleTimeWindow, ScheduleExpression, Target },
          ScheduleExpressionTimezone,
        }),
      );
    },
  },
  {
    type: 'AWS::StepFunctions::StateMachine',
    property: 'LoggingConfiguration',
    why: 'not set by its CloudFormation',
    put: ({ sfn }, stateMachineArn, wanted: TemplateLogging) =>
      sfn.send(
        new UpdateStateMachineCommand({
          stateMachineArn,
          loggingConfiguration: {
            level: wanted.Level,
            includeExecutionData: wanted.IncludeExecutionData,
            destinations: wanted.Destinations.map(({ CloudWatchLogsLogGroup }) => ({
              cloudWatchLogsLogGroup: { logGroupArn: CloudWatchLogsLogGroup.LogGroupArn },
            })),
          },
        }),
      ),
  },
  {
    type: 'AWS::StepFunctions::StateMachine',
    property: 'TracingConfiguration',
    why: 'kept nowhere: DescribeStateMachine has no word of it',
  },
];

export const knownDropOf = ({ type, property }: ResourceFinding): KnownDrop | undefined =>
  knownDrops.find((drop) => drop.type === type && drop.property === property);
