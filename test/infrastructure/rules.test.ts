import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { functionPayloads } from '../../core/contract/functions.ts';
import { everythingOn, templatesOf } from './regions.ts';

const { backup, restore } = templatesOf(everythingOn());

const machines = ['backup', 'restore', 'drill'] as const;
const templateOf = (machine: (typeof machines)[number]): Template =>
  machine === 'backup' ? backup : restore;

function ruleOf(machine: (typeof machines)[number]) {
  const [rule] = Object.entries(
    templateOf(machine).findResources('AWS::Events::Rule', {
      Properties: { Name: `holdfast-prod-${machine}-failed` },
    }),
  );
  if (rule === undefined) throw new Error(`there is no rule for ${machine}`);
  return { id: rule[0], properties: rule[1].Properties };
}

describe.each(machines)('an execution of %s that does not succeed', (machine) => {
  const { id, properties } = ruleOf(machine);
  const [cleanUp, notice] = properties.Targets;

  test('is heard of however it ended; children of its Maps are not meant', () => {
    expect(properties.State).toBe('ENABLED');
    expect(properties.EventPattern).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        stateMachineArn: [
          `arn:aws:states:eu-central-1:123456789012:stateMachine:holdfast-prod-${machine}`,
        ],
        status: ['FAILED', 'ABORTED', 'TIMED_OUT'],
      },
    });
  });

  test('is cleaned up after: CleanUp gets the event as it is, and the rule may call it', () => {
    expect(cleanUp.InputTransformer).toBeUndefined();
    const event = {
      'detail-type': properties.EventPattern['detail-type'][0],
      detail: {
        status: 'ABORTED',
        name: 'orders-daily-d32c5kddcf5bb8c3',
        stateMachineArn: properties.EventPattern.detail.stateMachineArn[0],
      },
    };
    expect(functionPayloads.CleanUp.input.safeParse(event).success).toBe(true);
    const permissions = Object.values(templateOf(machine).findResources('AWS::Lambda::Permission'));
    const own = permissions.filter(
      ({ Properties }) => Properties.SourceArn['Fn::GetAtt'][0] === id,
    );
    expect(own.map(({ Properties }) => Properties)).toEqual([
      {
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        FunctionName: cleanUp.Arn,
        SourceArn: { 'Fn::GetAtt': [id, 'Arn'] },
      },
    ]);
  });

  test('is told to people: what ended and how, what it means, what to do, where to look', () => {
    expect(notice.Arn).toBe('arn:aws:sns:eu-central-1:123456789012:holdfast-prod-notices');
    const { InputPathsMap, InputTemplate } = notice.InputTransformer;
    const values: Record<string, string> = {
      '$.detail.name': 'orders-daily-d32c5kddcf5bb8c3',
      '$.detail.status': 'TIMED_OUT',
      '$.detail.executionArn': 'arn:aws:states:…:execution:x:orders-daily-d32c5kddcf5bb8c3',
    };
    const lines = String(InputTemplate)
      .split('\n')
      .map((line) =>
        Object.entries(InputPathsMap).reduce(
          (text, [key, path]) => text.replaceAll(`<${key}>`, values[String(path)] ?? ''),
          line,
        ),
      );
    // EventBridge delivers a template of lines only when each is a JSON text.
    const told = lines.map((line) => JSON.parse(line) as string);
    expect(told[0]).toBe(
      `Holdfast prod (eu-central-1): the ${machine} orders-daily-d32c5kddcf5bb8c3 ended as TIMED_OUT.`,
    );
    expect(told.some((line) => line.startsWith('What to do: '))).toBe(true);
    // Executions end after Publish and after the cutover too.
    const unless = {
      backup: /^Unless .* nothing was published/,
      restore: /cutover that has happened stays/,
    };
    if (machine in unless) expect(told[1]).toMatch(unless[machine as keyof typeof unless]);
    expect(told.join()).not.toMatch(/Nothing was published/);
    expect(told.at(-1)).toContain('https://eu-central-1.console.aws.amazon.com/states/home');
    expect(told.at(-1)).toContain(values['$.detail.executionArn']);
    expect(told.join()).not.toContain('<');
  });

  test('is in the queue when neither could be reached', () => {
    for (const { DeadLetterConfig } of [cleanUp, notice]) {
      expect(DeadLetterConfig.Arn).toMatch(/:holdfast-prod-dead-letters$/);
    }
  });
});
