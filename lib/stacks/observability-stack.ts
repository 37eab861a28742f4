/**
 * How people hear of what happens: the topic, and the queue where lost invocations and events end.
 *
 * Alarms are added here: each with `this.notices` as its action and a description that says what to do.
 */
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { namesOf } from '../../core/contract/names.ts';
import { except } from '../exceptions.ts';
import type { RegionProps } from '../functions/region.ts';

export interface ObservabilityStackProps extends StackProps {
  readonly region: Omit<RegionProps, 'keys'>;
}

export class ObservabilityStack extends Stack {
  readonly notices: Topic;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { region, ...props }: ObservabilityStackProps) {
    const { environment, place } = region;
    super(scope, id, {
      ...props,
      description: `Holdfast ${environment.name}: notices, lost events and their alarm`,
    });
    this.notices = this.#makeTopic(region);
    this.deadLetters = this.#makeQueue(region);

    const lost = new Alarm(this, 'LostEvents', {
      alarmName: namesOf(environment.name).deadLetters,
      alarmDescription: `Holdfast ${environment.name} (${place.region}): something that a schedule, a rule or an asynchronous call should have started did not start. Look at the messages in the queue ${namesOf(environment.name).deadLetters}: they name the target and the error. Start what is missing by hand, then purge the queue.`,
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    lost.addAlarmAction(new SnsAction(this.notices));
  }

  /** With a key of its own: AWS's key for SNS lets neither rules nor alarms publish. */
  #makeTopic({ environment, place }: ObservabilityStackProps['region']): Topic {
    const { account, region } = place;
    const names = namesOf(environment.name);
    const key = new Key(this, 'TopicKey', {
      description: `Holdfast ${environment.name}: notices on their way`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const topic = new Topic(this, 'Topic', {
      topicName: names.topic,
      displayName: `Holdfast ${environment.name}`,
      masterKey: key,
    });
    const policy = new TopicPolicy(this, 'TopicPolicy', { topics: [topic], enforceSSL: true });
    const publishers = [
      ['events.amazonaws.com', `arn:aws:events:${region}:${account}:rule/${names.rules}`],
      ['cloudwatch.amazonaws.com', `arn:aws:cloudwatch:${region}:${account}:alarm:${names.rules}`],
    ] as const;
    for (const [service, from] of publishers) {
      const principals = [new ServicePrincipal(service)];
      policy.document.addStatements(
        new PolicyStatement({
          ...{ principals, actions: ['sns:Publish'], resources: [topic.topicArn] },
          conditions: { ArnLike: { 'aws:SourceArn': from } },
        }),
      );
      // SNS says of this key which topic it is for. Rules do not say where they are from: with aws:SourceArn here
      // nothing of theirs would be delivered.
      const topicArn = `arn:aws:sns:${region}:${account}:${names.topic}`;
      key.addToResourcePolicy(
        new PolicyStatement({
          ...{ principals, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] },
          conditions: { StringEquals: { 'kms:EncryptionContext:aws:sns:topicArn': topicArn } },
        }),
      );
    }
    for (const email of environment.notify.emails) {
      topic.addSubscription(new EmailSubscription(email));
    }
    return topic;
  }

  #makeQueue({ environment, place }: ObservabilityStackProps['region']): Queue {
    const names = namesOf(environment.name);
    const queue = new Queue(this, 'DeadLetters', {
      queueName: names.deadLetters,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    except(queue, 'AwsSolutions-SQS3', 'It is the dead-letter queue; an alarm looks at it.');
    // Schedules and functions send by their roles; rules have none.
    queue.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: {
          ArnLike: {
            'aws:SourceArn': `arn:aws:events:${place.region}:${place.account}:rule/${names.rules}`,
          },
        },
      }),
    );
    return queue;
  }
}
