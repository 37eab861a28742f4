/** Rules on what `lib/alarms/watched.ts` says: people hear who did what, in words, at once; the alarm counts it. */
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { namesOf } from '../../core/contract/names.ts';
import { alarmsOf } from '../alarms/alarms-of.ts';
import { alarmKinds, runbookOf } from '../alarms/kinds.ts';
import { type WatchedAlarm, watched } from '../alarms/watched.ts';
import type { RegionProps } from '../functions/region.ts';

export interface WatchRulesProps {
  readonly region: RegionProps;
  readonly topic: ITopic;
  readonly deadLetters: IQueue;
}

export class WatchRules extends Construct {
  constructor(scope: Construct, id: string, { region, topic, deadLetters }: WatchRulesProps) {
    super(scope, id);
    const { environment, place, keys } = region;
    const here = new Set(alarmsOf(region).map(({ kind }) => kind));
    for (const kind of Object.keys(watched) as WatchedAlarm[]) {
      if (!here.has(kind)) continue;
      const { source, detail } = watched[kind](region, keys);
      const rule = new Rule(this, kind, {
        ruleName: namesOf(environment.name).watchRule(kind),
        description: `Holdfast ${environment.name}: ${alarmKinds[kind].means}`,
        eventPattern: { source: [source], detailType: ['AWS API Call via CloudTrail'], detail },
      });
      const field = (name: string) => EventField.fromPath(`$.detail.${name}`);
      rule.addTarget(
        new SnsTopic(topic, {
          deadLetterQueue: deadLetters,
          // Nothing of the request: it may hold quotes, and a message that is no valid template is not delivered at all.
          message: RuleTargetInput.fromMultilineText(
            [
              `Holdfast ${environment.name} (${place.region}): ${alarmKinds[kind].means}`,
              `What: ${field('eventName')} at ${field('eventTime')}, event ${field('eventID')} in CloudTrail.`,
              `Who: ${field('userIdentity.arn')}, from ${field('sourceIPAddress')}.`,
              `What to do: ${runbookOf(kind)}`,
            ].join('\n'),
          ),
        }),
      );
    }
  }
}
