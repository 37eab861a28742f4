import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { sourceParameterSchema, targetParameterSchema } from '../../core/contract/environment.ts';
import { newApp } from './assembly.ts';
import { everythingOn, regionOf, stacksOf, templatesOf } from './regions.ts';

const environment = everythingOn();
const { observability, backup } = templatesOf(environment, true);
const inReplica = templatesOf(environment, false);

test('notices are encrypted with a key that rotates, and go to everybody who is named', () => {
  const [keyId] = Object.keys(observability.findResources('AWS::KMS::Key'));
  observability.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  observability.hasResourceProperties('AWS::SNS::Topic', {
    TopicName: 'holdfast-prod-notices',
    KmsMasterKeyId: { 'Fn::GetAtt': [keyId, 'Arn'] },
  });
  const people = Object.values(observability.findResources('AWS::SNS::Subscription'));
  expect(people.map(({ Properties }) => [Properties.Protocol, Properties.Endpoint])).toEqual([
    ['email', 'dba@example.com'],
    ['email', 'lead@example.com'],
  ]);
});

test.each([
  ['nobody', {}, 1],
  ['an address', { emails: ['dba@example.com'] }, 0],
  ['nobody, and says so', { emails: [] }, 0],
  ['a channel', { slack: { workspaceId: 'T0123ABCDEF', channelId: 'C0123ABCDEF' } }, 0],
])('a synth warns of alarms that nobody hears: %s', (_, notify, warnings) => {
  const app = newApp();
  const stacks = stacksOf(app, regionOf(everythingOn({ notify }), true));
  const about = Match.stringLikeRegexp('environments/prod.json: notify names nobody');
  const found = Annotations.fromStack(stacks.observability).findWarning('*', about);
  expect(found).toHaveLength(warnings);
});

test('rules and alarms of this environment may publish, and their messages be encrypted', () => {
  const services = ['events.amazonaws.com', 'cloudwatch.amazonaws.com'];
  // A topic has one policy: the second replaces the first.
  observability.resourceCountIs('AWS::SNS::TopicPolicy', 1);
  for (const Service of services) {
    observability.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Principal: { Service }, Action: 'sns:Publish', Effect: 'Allow' }),
        ]),
      },
    });
    observability.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service },
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
            Condition: {
              StringEquals: {
                'kms:EncryptionContext:aws:sns:topicArn':
                  'arn:aws:sns:eu-central-1:123456789012:holdfast-prod-notices',
              },
            },
          }),
        ]),
      },
    });
  }
});

test('the topic takes what rules send without a condition: they say nothing that one could look at', () => {
  const [policy] = Object.values(observability.findResources('AWS::SNS::TopicPolicy'));
  const statements: { Effect: string; Principal: { Service?: string }; Condition?: unknown }[] =
    policy?.['Properties'].PolicyDocument.Statement;
  const conditions = statements
    .filter(({ Effect }) => Effect === 'Allow')
    .map(({ Principal, Condition }) => [Principal.Service, Condition !== undefined]);
  expect(conditions).toEqual([
    ['events.amazonaws.com', false],
    ['cloudwatch.amazonaws.com', true],
  ]);
});

test('plain HTTP is denied at the topic and at the queue', () => {
  for (const type of ['AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy']) {
    observability.hasResourceProperties(type, {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  }
});

test('lost events are kept for two weeks, and one is enough for an alarm that says what to do', () => {
  observability.hasResourceProperties('AWS::SQS::Queue', {
    QueueName: 'holdfast-prod-dead-letters',
    SqsManagedSseEnabled: true,
    MessageRetentionPeriod: 14 * 86_400,
  });
  const [topicId] = Object.keys(observability.findResources('AWS::SNS::Topic'));
  observability.hasResourceProperties('AWS::CloudWatch::Alarm', {
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    AlarmActions: [{ Ref: topicId }],
    AlarmDescription: Match.stringLikeRegexp('Start what is missing by hand'),
  });
});

test('every source is a parameter in both Regions, without its schedules; targets where they are', () => {
  const parametersOf = (template: typeof backup) =>
    Object.fromEntries(
      Object.values(template.findResources('AWS::SSM::Parameter')).map(({ Properties }) => [
        Properties.Name,
        JSON.parse(Properties.Value),
      ]),
    );
  const here = parametersOf(backup);
  const there = parametersOf(inReplica.backup);
  const sources = ['/holdfast-prod/sources/billing', '/holdfast-prod/sources/orders'];
  expect(Object.keys(here).sort()).toEqual([...sources, '/holdfast-prod/targets/drills']);
  expect(Object.keys(there).sort()).toEqual([...sources, '/holdfast-prod/targets/recovery']);
  const orders = sourceParameterSchema.parse(here['/holdfast-prod/sources/orders']);
  expect(orders).toMatchObject({ name: 'orders', lockMode: 'GOVERNANCE' });
  expect(here['/holdfast-prod/sources/orders']).not.toHaveProperty('schedules');
  expect(here['/holdfast-prod/sources/orders']).not.toHaveProperty('drill');
  targetParameterSchema.parse(there['/holdfast-prod/targets/recovery']);
});

test('a source that is too large for a parameter is refused by its name and size', () => {
  const tables = Array.from({ length: 400 }, (_, index) => `public.a_table_with_a_name_${index}`);
  const [orders] = environment.sources;
  if (orders === undefined) throw new Error('no source');
  const tooLarge = everythingOn({
    sources: [{ ...orders, filters: { tables } }, ...environment.sources.slice(1)],
  });
  expect(() => templatesOf(tooLarge)).toThrow(/source orders: .* bytes .* allowed are 8192/);
});
