/**
 * A channel of Slack that hears of alarms, by AWS's own service for it (Amazon Q Developer in chat applications, once AWS
 * Chatbot). It shows what it knows the form of: alarms, and not the texts of our rules, each of which has an alarm beside.
 */
import { SlackChannelConfiguration } from 'aws-cdk-lib/aws-chatbot';
import {
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';

export interface SlackChannelProps {
  readonly environment: Environment;
  readonly place: Place;
  readonly slack: NonNullable<Environment['notify']['slack']>;
  readonly topic: ITopic;
}

export class SlackChannel extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { environment, place, slack, topic }: SlackChannelProps,
  ) {
    super(scope, id);
    const names = namesOf(environment.name);
    // From the channel nothing is done: the role may do nothing, and neither may what people type there.
    const nothing = new ManagedPolicy(this, 'Nothing', {
      description: `Holdfast ${environment.name}: what may be done from the chat channel`,
      document: denyAll(),
    });
    const role = new Role(this, 'Role', {
      roleName: names.roleName('chat', place.region),
      description: `Holdfast ${environment.name}: chat channel`,
      assumedBy: new ServicePrincipal('chatbot.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': place.account } },
      }),
    });
    new SlackChannelConfiguration(this, 'Channel', {
      slackChannelConfigurationName: names.chat(place.region),
      ...{ slackWorkspaceId: slack.workspaceId, slackChannelId: slack.channelId },
      ...{ notificationTopics: [topic], role, guardrailPolicies: [nothing] },
    });
  }
}

const denyAll = () =>
  new PolicyDocument({
    statements: [new PolicyStatement({ effect: Effect.DENY, actions: ['*'], resources: ['*'] })],
  });
