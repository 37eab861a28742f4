/** Topics, their subscriptions, queues, rules, alarms, and dashboards. */
import { DescribeAlarmsCommand, GetDashboardCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeRuleCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import {
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
} from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { type Clients, document, type Reader } from './reader.ts';

export const topic: Reader = async ({ sns }, TopicArn) => {
  const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
  return {
    TopicName: Attributes?.['TopicArn']?.split(':').at(-1),
    DisplayName: Attributes?.['DisplayName'],
    KmsMasterKeyId: Attributes?.['KmsMasterKeyId'],
    policy: document(Attributes?.['Policy']),
  };
};

export const topicPolicy: Reader = async (clients, _id, { Topics }) => {
  const policies = await Promise.all(
    (Topics as string[]).map(async (arn) => (await topic(clients, arn, {}))['policy']),
  );
  return { Topics, PolicyDocument: policies[0] };
};

export const subscription: Reader = async ({ sns }, id, { TopicArn, Endpoint }) => {
  const { Subscriptions } = await sns.send(
    new ListSubscriptionsByTopicCommand({ TopicArn: String(TopicArn) }),
  );
  const found = Subscriptions?.find((one) => one.Endpoint === Endpoint);
  const isConfirmed = found?.SubscriptionArn?.startsWith('arn:') === true;
  const { Attributes } = isConfirmed
    ? await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: id }))
    : { Attributes: {} as Record<string, string> };
  return {
    TopicArn: found?.TopicArn,
    Protocol: found?.Protocol,
    Endpoint: found?.Endpoint,
    RawMessageDelivery: Attributes?.['RawMessageDelivery'],
  };
};

export const queue: Reader = async ({ sqs }, QueueUrl) => {
  const { Attributes: it } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return {
    QueueName: it?.['QueueArn']?.split(':').at(-1),
    KmsMasterKeyId: it?.['KmsMasterKeyId'],
    SqsManagedSseEnabled: it?.['SqsManagedSseEnabled'],
    MessageRetentionPeriod: it?.['MessageRetentionPeriod'],
    VisibilityTimeout: it?.['VisibilityTimeout'],
    policy: document(it?.['Policy']),
  };
};

export const queuePolicy: Reader = async (clients, _id, { Queues }) => {
  const policies = await Promise.all(
    (Queues as string[]).map(
      async (url) => (await queue(clients, await urlOf(clients, url), {}))['policy'],
    ),
  );
  return { Queues, PolicyDocument: policies[0] };
};

async function urlOf({ sqs }: Clients, urlOrName: string): Promise<string> {
  if (urlOrName.includes('/')) return urlOrName;
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: urlOrName }));
  return String(QueueUrl);
}

export const rule: Reader = async ({ events }, id) => {
  const Name = id.split('/').at(-1);
  const it = await events.send(new DescribeRuleCommand({ Name }));
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: Name }));
  return {
    Name: it.Name,
    Description: it.Description,
    State: it.State,
    ScheduleExpression: it.ScheduleExpression,
    EventPattern: document(it.EventPattern),
    Targets,
  };
};

export const alarm: Reader = async ({ cloudwatch }, name) => {
  const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  return { ...MetricAlarms?.[0] };
};

export const dashboard: Reader = async ({ cloudwatch }, DashboardName) => {
  const it = await cloudwatch.send(new GetDashboardCommand({ DashboardName }));
  return { DashboardName: it.DashboardName, DashboardBody: it.DashboardBody };
};
