import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { drillInputSchema } from '../../core/contract/restore.ts';
import { everythingOn, type RegionTemplates, templatesOf } from './regions.ts';

const environment = everythingOn();
const inPrimary = templatesOf(environment, true);
const inReplica = templatesOf(environment, false);

// biome-ignore lint/suspicious/noExplicitAny: a template's properties
type Schedule = Record<string, any>;

const schedulesOf = (...templates: Template[]): Record<string, Schedule> =>
  Object.fromEntries(
    templates
      .flatMap((template) => Object.values(template.findResources('AWS::Scheduler::Schedule')))
      .map(({ Properties }) => [Properties.Name, Properties]),
  );
const ofRegion = ({ backup, restore }: RegionTemplates) => schedulesOf(backup, restore);

/** The input of the execution, with what Scheduler fills in. */
function inputOf(schedule: Schedule | undefined): unknown {
  const request = JSON.parse(
    schedule?.Target.Input.replace('<aws.scheduler.scheduled-time>', '2026-11-21T03:00:00Z'),
  );
  return JSON.parse(request.Input);
}

test('there is one for each backup and drill of a source in the primary, one exercise in the replica Region, and a sentinel in both', () => {
  expect(Object.keys(ofRegion(inPrimary)).sort()).toEqual([
    ...['billing-daily', 'orders-daily', 'orders-drill', 'orders-hourly', 'sentinel'],
  ]);
  expect(Object.keys(ofRegion(inReplica)).sort()).toEqual([
    ...['billing-daily', 'exercise', 'orders-daily', 'orders-hourly', 'sentinel'],
  ]);
});

test('backups of the replica Region are off until somebody needs them; all else is on', () => {
  const off = (templates: RegionTemplates) =>
    Object.values(ofRegion(templates))
      .filter(({ State }) => State === 'DISABLED')
      .map(({ Name }) => Name)
      .sort();
  expect(off(inPrimary)).toEqual([]);
  expect(off(inReplica)).toEqual(['billing-daily', 'orders-daily', 'orders-hourly']);
});

test('each is in the group of the environment, tries again, and leaves in the queue what it could not start', () => {
  for (const templates of [inPrimary, inReplica]) {
    for (const { GroupName, Target } of Object.values(ofRegion(templates))) {
      expect(GroupName).toBe('holdfast-prod');
      expect(Target.RetryPolicy.MaximumRetryAttempts).toBe(185);
      expect(Target.RetryPolicy.MaximumEventAgeInSeconds).toBeGreaterThanOrEqual(900);
      expect(Target.DeadLetterConfig.Arn).toMatch(/:holdfast-prod-dead-letters$/);
    }
  }
});

test('each runs in the time zone of its source, within its window', () => {
  const schedules = ofRegion(inPrimary);
  expect(schedules['orders-daily']).toMatchObject({
    ScheduleExpression: 'cron(0 3 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
  });
  expect(schedules['orders-hourly']?.FlexibleTimeWindow).toEqual({ Mode: 'OFF' });
  expect(schedules['billing-daily']?.ScheduleExpressionTimezone).toBe('UTC');
  expect(schedules['orders-drill']?.FlexibleTimeWindow.MaximumWindowInMinutes).toBe(60);
});

describe('an execution that a schedule starts', () => {
  test('has a name that a person can read, of the characters and the length that Step Functions takes', () => {
    const longest = everythingOn({
      sources: [
        {
          name: 'a'.repeat(40),
          connection: { secret: 's' },
          schedules: [{ tier: 'hourly', at: 'rate(1 hour)' }],
          drill: { at: 'cron(0 6 ? * SUN *)', target: 'drills' },
        },
      ],
      exercise: undefined,
    });
    for (const { Name, Target } of Object.values(ofRegion(templatesOf(longest)))) {
      expect(Name.length).toBeLessThanOrEqual(64);
      if (Name === 'sentinel') continue;
      const { Name: name } = JSON.parse(Target.Input);
      expect(name).toBe(`${Name}-<aws.scheduler.execution-id>`);
      // A drill adds `-scratch`, a restore `-safety` for its children.
      const real = `${name.replace('<aws.scheduler.execution-id>', 'd32c5kddcf5bb8c3')}-scratch`;
      expect(real).toMatch(/^[\w-]{1,80}$/);
    }
  });

  test('of backup has the scheduled time in its input, for Plan to claim', () => {
    const input = backupInputSchema.parse(inputOf(ofRegion(inPrimary)['orders-hourly']));
    expect(input).toMatchObject({
      ...{ source: 'orders', tier: 'hourly', scheduledAt: '2026-11-21T03:00:00Z' },
      requestedBy: { user: 'scheduler' },
    });
  });

  test('of drill restores the source to its target, at a time that PlanDrill claims', () => {
    const drill = drillInputSchema.parse(inputOf(ofRegion(inPrimary)['orders-drill']));
    const scheduledAt = '2026-11-21T03:00:00Z';
    expect(drill).toMatchObject({ target: 'drills', choice: { source: 'orders' }, scheduledAt });
    const exercise = drillInputSchema.parse(inputOf(ofRegion(inReplica)['exercise']));
    expect(exercise).toMatchObject({
      ...{ target: 'recovery', choice: { source: 'orders' }, scheduledAt },
    });
  });

  test('is of the machine in its own Region, which is all that the schedule’s role may start', () => {
    for (const [template, where, machine] of [
      [inPrimary.backup, 'eu-central-1', 'backup'],
      [inPrimary.restore, 'eu-central-1', 'drill'],
      [inReplica.restore, 'eu-west-1', 'drill'],
    ] as const) {
      const arn = `arn:aws:states:${where}:123456789012:stateMachine:holdfast-prod-${machine}`;
      const started = Object.values(schedulesOf(template)).filter(
        ({ Target }) => Target.Arn === 'arn:aws:scheduler:::aws-sdk:sfn:startExecution',
      );
      expect(started.length).toBeGreaterThan(0);
      for (const { Target } of started) {
        expect(JSON.parse(Target.Input).StateMachineArn).toBe(arn);
        const roleId = Target.RoleArn['Fn::GetAtt'][0];
        const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(
          ({ Properties }) => Properties.Roles[0].Ref === roleId,
        );
        const starts = policy?.Properties.PolicyDocument.Statement.filter(
          ({ Action }: { Action: string }) => Action !== 'sqs:SendMessage',
        );
        expect(starts).toEqual([
          { Action: 'states:StartExecution', Effect: 'Allow', Resource: arn },
        ]);
      }
    }
  });

  test('is asked for by schedules of this environment only', () => {
    const trusts = [inPrimary.backup, inPrimary.restore].flatMap((template) =>
      Object.values(template.findResources('AWS::IAM::Role')).flatMap(
        ({ Properties }) => Properties.AssumeRolePolicyDocument.Statement,
      ),
    );
    const ofScheduler = trusts.filter(
      ({ Principal }) => Principal.Service === 'scheduler.amazonaws.com',
    );
    // Of backups, of drills, of the sentinel.
    expect(ofScheduler).toHaveLength(3);
    for (const { Condition } of ofScheduler) {
      expect(Condition).toEqual({
        StringEquals: { 'aws:SourceAccount': '123456789012' },
        ArnEquals: {
          'aws:SourceArn':
            'arn:aws:scheduler:eu-central-1:123456789012:schedule-group/holdfast-prod',
        },
      });
    }
  });
});

test('the sentinel looks every quarter of an hour', () => {
  for (const { backup } of [inPrimary, inReplica]) {
    const { sentinel } = schedulesOf(backup);
    expect(sentinel?.ScheduleExpression).toBe('rate(15 minutes)');
    const id = sentinel?.Target.Arn['Fn::GetAtt'][0];
    const called = backup.findResources('AWS::Lambda::Function')[id];
    expect(called?.Properties.FunctionName).toBe('holdfast-prod-Sentinel');
  }
});

test('a changed schedule changes that schedule, and nothing else in any stack', () => {
  const [orders, ...others] = environment.sources;
  if (orders === undefined) throw new Error('no source');
  const changed = everythingOn({
    sources: [
      {
        ...orders,
        schedules: [{ tier: 'daily', at: 'cron(0 5 * * ? *)' }, ...orders.schedules.slice(1)],
      },
      ...others,
    ],
    signingPublicKeys: environment.signingPublicKeys,
  });
  const differing = (isPrimary: boolean) => {
    const before = templatesOf(environment, isPrimary);
    const after = templatesOf(changed, isPrimary);
    return (Object.keys(before) as (keyof RegionTemplates)[]).flatMap((stack) => {
      const old = before[stack].toJSON()['Resources'];
      const resources = after[stack].toJSON()['Resources'];
      return [...new Set([...Object.keys(old), ...Object.keys(resources)])]
        .filter((id) => JSON.stringify(old[id]) !== JSON.stringify(resources[id]))
        .map((id) => `${stack}: ${resources[id].Type} ${resources[id].Properties.Name}`);
    });
  };
  expect(differing(true)).toEqual(['backup: AWS::Scheduler::Schedule orders-daily']);
  expect(differing(false)).toEqual(['backup: AWS::Scheduler::Schedule orders-daily']);
});
