/** The readers by type of resource. A type that is not here fails the gate: it must be read back, or left out by name. */
import { policy, role } from './iam.ts';
import { alias, key } from './kms.ts';
import { eventInvokeConfig, lambdaFunction, permission } from './lambda.ts';
import {
  alarm,
  dashboard,
  queue,
  queuePolicy,
  rule,
  subscription,
  topic,
  topicPolicy,
} from './messages.ts';
import type { Reader } from './reader.ts';
import { bucket, bucketPolicy } from './s3.ts';
import {
  logGroup,
  parameter,
  schedule,
  scheduleGroup,
  stateMachine,
  vpcEndpoint,
} from './workflows.ts';

export const readers: Readonly<Record<string, Reader>> = {
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::Dashboard': dashboard,
  'AWS::EC2::VPCEndpoint': vpcEndpoint,
  'AWS::Events::Rule': rule,
  'AWS::IAM::Policy': policy,
  'AWS::IAM::Role': role,
  'AWS::KMS::Alias': alias,
  'AWS::KMS::Key': key,
  'AWS::KMS::ReplicaKey': key,
  'AWS::Lambda::EventInvokeConfig': eventInvokeConfig,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': permission,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': bucketPolicy,
  'AWS::SNS::Subscription': subscription,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': topicPolicy,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::SSM::Parameter': parameter,
  'AWS::Scheduler::Schedule': schedule,
  'AWS::Scheduler::ScheduleGroup': scheduleGroup,
  'AWS::StepFunctions::StateMachine': stateMachine,
};

/** Not a thing of AWS's that could be read back, or nothing of ours. */
export const notRead: Readonly<Record<string, string>> = {
  'AWS::CDK::Metadata': 'says which constructs were used; no resource',
};

/** Properties that say what CloudFormation shall do some day, and nothing of what is. */
export const notState: Readonly<Record<string, readonly string[]>> = {
  'AWS::KMS::Key': ['PendingWindowInDays'],
  'AWS::KMS::ReplicaKey': ['PendingWindowInDays'],
};
