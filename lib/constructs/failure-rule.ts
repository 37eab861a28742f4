/**
 * An execution that did not succeed: CleanUp does what no Catch can (a stopped or timed-out execution runs none), and
 * people hear of it in words.
 *
 * Invariant: the children of a distributed Map are not meant; only the machine's own executions are.
 */
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type MachineName, namesOf } from '../../core/contract/names.ts';
import type { RegionProps } from '../functions/region.ts';

/** What it means, and what to do first. */
const advice: Readonly<Record<MachineName, readonly string[]>> = {
  backup: [
    'Unless `holdfast list` shows it, nothing was published: the latest backup is the one before.',
    'What to do: read error and cause at that page; start the backup again when the cause is gone.',
  ],
  restore: [
    'A restore that failed puts its target back by itself; after one that was stopped or timed out CleanUp does, from now on. A cutover that has happened stays. What cannot be taken away is in CleanUp’s log, and an alarm tells of it (clean up failed); while the target is away it is tried three times, `holdfast cancel` of the run tries again.',
    'What to do: read error and cause at that page; start it again from its beginning when the cause is gone.',
  ],
  drill: [
    'The backup is not proven to restore.',
    'What to do: read error and cause at that page; start the drill again; take a new backup if it is damaged.',
  ],
};

export interface FailureRuleProps {
  readonly machine: MachineName;
  readonly region: RegionProps;
  readonly cleanUp: IFunction;
  readonly topic: ITopic;
  readonly deadLetters: IQueue;
}

export class FailureRule extends Construct {
  constructor(scope: Construct, id: string, props: FailureRuleProps) {
    super(scope, id);
    const { machine, region, cleanUp, topic, deadLetters } = props;
    const { environment, place } = region;
    const names = namesOf(environment.name);
    const executionArn = EventField.fromPath('$.detail.executionArn');

    const rule = new Rule(this, 'Rule', {
      ruleName: names.rule(machine),
      description: `Holdfast ${environment.name}: executions of ${machine} that did not succeed`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [names.machineArn(machine, place)],
          status: ['FAILED', 'ABORTED', 'TIMED_OUT'],
        },
      },
    });
    rule.addTarget(new LambdaFunction(cleanUp, { deadLetterQueue: deadLetters }));
    rule.addTarget(
      new SnsTopic(topic, {
        deadLetterQueue: deadLetters,
        // No cause: it holds quotes, and a message that is no valid template is not delivered at all.
        message: RuleTargetInput.fromMultilineText(
          [
            `Holdfast ${environment.name} (${place.region}): the ${machine} ${EventField.fromPath('$.detail.name')} ended as ${EventField.fromPath('$.detail.status')}.`,
            ...advice[machine],
            `Where: https://${place.region}.console.aws.amazon.com/states/home?region=${place.region}#/v2/executions/details/${executionArn}`,
          ].join('\n'),
        ),
      }),
    );
  }
}
