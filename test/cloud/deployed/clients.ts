/** Clients of all services for one Region of the emulator. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { ClientSettings } from '../emulator-clients.ts';
import type { Clients } from '../read-back/read/reader.ts';

export interface ClientBase {
  readonly settings: (region: string) => ClientSettings;
}

export function clientsOf({ settings }: ClientBase, region: string): Clients {
  const all = settings(region);
  return {
    s3: new S3Client({ ...all, forcePathStyle: true }),
    kms: new KMSClient(all),
    iam: new IAMClient(all),
    lambda: new LambdaClient(all),
    logs: new CloudWatchLogsClient(all),
    cloudwatch: new CloudWatchClient(all),
    sfn: new SFNClient(all),
    scheduler: new SchedulerClient(all),
    ssm: new SSMClient(all),
    sns: new SNSClient(all),
    sqs: new SQSClient(all),
    events: new EventBridgeClient(all),
    ec2: new EC2Client(all),
  };
}
