/**
 * A schedule of EventBridge Scheduler that starts executions of one machine.
 *
 * Invariants: the execution's name can be read by a person; the time that was scheduled is in its input, where Plan
 * and PlanDrill claim it, so that a delivery that comes twice ends as a duplicate; what could not be started is in the queue.
 */
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { type MachineName, namesOf } from '../../core/contract/names.ts';
import type { RegionProps } from '../functions/region.ts';

/** Filled in by Scheduler. The id has 16 characters and is another one for each attempt. */
const executionId = '<aws.scheduler.execution-id>';
const scheduledTime = '<aws.scheduler.scheduled-time>';

/** Who asked, in records and reports. */
export const scheduler = { user: 'scheduler', host: 'EventBridge Scheduler' };

export interface Timing {
  readonly at: string;
  readonly timeZone: string;
  readonly flexibleMinutes: number;
  /** After this time there is no sense in it any more. */
  readonly retrySeconds: number;
  readonly isEnabled: boolean;
}

interface Target {
  readonly arn: string;
  readonly input: string;
  readonly roleArn: string;
  readonly deadLettersArn: string;
}

/** @param name 64 characters at most: a source's name has 40 */
function makeSchedule(
  scope: Construct,
  name: string,
  group: string,
  timing: Timing,
  target: Target,
): CfnSchedule {
  const { at, timeZone, flexibleMinutes, retrySeconds, isEnabled } = timing;
  return new CfnSchedule(scope, name, {
    name,
    groupName: group,
    scheduleExpression: at,
    scheduleExpressionTimezone: timeZone,
    state: isEnabled ? 'ENABLED' : 'DISABLED',
    flexibleTimeWindow:
      flexibleMinutes === 0
        ? { mode: 'OFF' }
        : { mode: 'FLEXIBLE', maximumWindowInMinutes: flexibleMinutes },
    target: {
      ...{ arn: target.arn, roleArn: target.roleArn, input: target.input },
      // Attempts come with a growing delay until the time is over; 185 is the most there is.
      retryPolicy: { maximumRetryAttempts: 185, maximumEventAgeInSeconds: retrySeconds },
      deadLetterConfig: { arn: target.deadLettersArn },
    },
  });
}

export interface SchedulesProps {
  readonly region: RegionProps;
  readonly deadLettersArn: string;
}

/** The schedules of one machine, which share a role that may start that machine and nothing else. */
export class MachineSchedules extends Construct {
  readonly #props: SchedulesProps;
  readonly #machineArn: string;
  readonly #role: Role;

  constructor(scope: Construct, id: string, machine: MachineName, props: SchedulesProps) {
    super(scope, id);
    const { environment, place } = props.region;
    this.#props = props;
    this.#machineArn = namesOf(environment.name).machineArn(machine, place);
    this.#role = schedulerRole(this, `schedule-${machine}`, props);
    this.#role.addToPolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [this.#machineArn] }),
    );
  }

  /** @param input of the execution; `scheduledAt` is added to it */
  add(name: string, timing: Timing, input: Readonly<Record<string, unknown>>): void {
    const { region, deadLettersArn } = this.#props;
    const whole = { ...input, scheduledAt: scheduledTime };
    makeSchedule(this, name, namesOf(region.environment.name).scheduleGroup, timing, {
      arn: 'arn:aws:scheduler:::aws-sdk:sfn:startExecution',
      // 40 + 1 + 6 + 1 + 16 of the 80 characters that a name may have.
      input: JSON.stringify({
        StateMachineArn: this.#machineArn,
        Name: `${name}-${executionId}`,
        Input: JSON.stringify(whole),
      }),
      roleArn: this.#role.roleArn,
      deadLettersArn,
    });
  }
}

/** A function that runs by the clock. */
export class FunctionSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: SchedulesProps & {
      readonly name: string;
      readonly functionArn: string;
      readonly timing: Timing;
    },
  ) {
    super(scope, id);
    const { name, functionArn, timing, region, deadLettersArn } = props;
    const role = schedulerRole(this, `schedule-${name}`, props);
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }),
    );
    makeSchedule(this, name, namesOf(region.environment.name).scheduleGroup, timing, {
      arn: functionArn,
      input: JSON.stringify({ scheduledAt: scheduledTime }),
      roleArn: role.roleArn,
      deadLettersArn,
    });
  }
}

/** Only schedules of this environment may take it. */
function schedulerRole(
  scope: Construct,
  holder: string,
  { region, deadLettersArn }: SchedulesProps,
): Role {
  const { environment, place } = region;
  const names = namesOf(environment.name);
  const group = `arn:aws:scheduler:${place.region}:${place.account}:schedule-group/${names.scheduleGroup}`;
  const role = new Role(scope, 'Role', {
    roleName: names.roleName(holder, place.region),
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': place.account },
        ArnEquals: { 'aws:SourceArn': group },
      },
    }),
    description: `Holdfast ${environment.name}: ${holder}`,
  });
  role.addToPolicy(
    new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLettersArn] }),
  );
  return role;
}
