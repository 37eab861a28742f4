/**
 * How people hear of what happens: the topic, the queue where lost invocations and events end, the alarms of `lib/alarms/`
 * and the dashboard.
 */
import { Annotations, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { namesOf } from '../../core/contract/names.ts';
import { Alarms } from '../constructs/alarms.ts';
import { HoldfastDashboard } from '../constructs/dashboard.ts';
import { SlackChannel } from '../constructs/slack-channel.ts';
import { WatchRules } from '../constructs/watch-rules.ts';
import { except } from '../exceptions.ts';
import type { RegionProps } from '../functions/region.ts';
import { noticesOf } from './region-resources.ts';

export interface ObservabilityStackProps extends StackProps {
  readonly region: RegionProps;
}

export class ObservabilityStack extends Stack {
  readonly notices: Topic;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { region, ...props }: ObservabilityStackProps) {
    const { environment, place } = region;
    super(scope, id, {
      ...props,
      description: `Holdfast ${environment.name}: notices, alarms, dashboard, lost events`,
    });
    this.notices = this.#makeTopic(region);
    this.deadLetters = this.#makeQueue(region);

    const { all } = new Alarms(this, 'Alarms', region, this.notices);
    // By its name, as for rules of other stacks: a target on the topic itself would make a second policy of it, which
    // replaces the one below.
    const topic = noticesOf(this, region);
    new WatchRules(this, 'Watch', { region, topic, deadLetters: this.deadLetters });
    new HoldfastDashboard(this, 'Safety', region, all);
    const { emails, slack } = environment.notify;
    if (emails === undefined && slack === undefined) this.#warnOfSilence(environment.name);
    if (slack !== undefined) {
      new SlackChannel(this, 'Slack', { environment, place, slack, topic: this.notices });
    }
  }

  #warnOfSilence(name: string): void {
    Annotations.of(this).addWarningV2(
      'holdfast:nobody-hears',
      `environments/${name}.json: notify names nobody, so that no alarm is heard. Add emails or slack; ` +
        '"notify": { "emails": [] } says that this is meant (somebody else subscribes to the topic).',
    );
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
    const alarms = `arn:aws:cloudwatch:${region}:${account}:alarm:${names.rules}`;
    // Rules do not say where they are from: with a condition nothing of theirs would be delivered (EventBridge User Guide,
    // "Amazon SNS permissions").
    const publishers = [
      ['events.amazonaws.com', {}],
      ['cloudwatch.amazonaws.com', { ArnLike: { 'aws:SourceArn': alarms } }],
    ] as const;
    for (const [service, conditions] of publishers) {
      const principals = [new ServicePrincipal(service)];
      policy.document.addStatements(
        new PolicyStatement({
          ...{ principals, actions: ['sns:Publish'], resources: [topic.topicArn] },
          conditions,
        }),
      );
      // SNS says of this key which topic it is for.
      const topicArn = `arn:aws:sns:${region}:${account}:${names.topic}`;
      key.addToResourcePolicy(
        new PolicyStatement({
          ...{ principals, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] },
          conditions: { StringEquals: { 'kms:EncryptionContext:aws:sns:topicArn': topicArn } },
        }),
      );
    }
    for (const email of environment.notify.emails ?? []) {
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
