/**
 * Backups in one Region: their functions, the machine, the schedules, and the parameters that every function reads.
 *
 * In the replica Region it works on the replica vault and its schedules are off: after a failover they are switched on.
 */
import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Source } from '../../core/contract/environment.ts';
import { extraFunctions } from '../../core/contract/functions.ts';
import { namesOf } from '../../core/contract/names.ts';
import { FailureRule } from '../constructs/failure-rule.ts';
import { NetworkEndpoints } from '../constructs/network.ts';
import { Parameters } from '../constructs/parameters.ts';
import { FunctionSchedule, MachineSchedules, scheduler } from '../constructs/schedule.ts';
import { definitionOf, HoldfastMachine } from '../constructs/state-machine.ts';
import { functionCode } from '../functions/bundle.ts';
import type { RegionProps } from '../functions/region.ts';
import { deadLettersOf, makeFunctions, noticesOf } from './region-resources.ts';

export interface BackupStackProps extends StackProps {
  readonly region: RegionProps;
  /** Folder of the functions' code. Default: what the build leaves. */
  readonly bundle?: string;
}

/** An hourly backup that did not start within the hour is made by the next; a daily one is worth six hours of trying. */
const retrySeconds = { hourly: 3_600, daily: 21_600 } as const;

export class BackupStack extends Stack {
  constructor(scope: Construct, id: string, { region, bundle, ...props }: BackupStackProps) {
    const { environment, place, isPrimary } = region;
    super(scope, id, {
      ...props,
      description: `Holdfast ${environment.name}: backups${isPrimary ? '' : ' in the replica Region, for after a failover'}`,
    });
    const deadLetters = deadLettersOf(this, region);
    const topic = noticesOf(this, region);

    const network = environment.network[isPrimary ? 'primary' : 'replica'];
    if (network?.makesEndpoints === true) {
      new NetworkEndpoints(this, 'Endpoints', { network, place });
    }
    new Parameters(this, 'Parameters', region);

    const functions = makeFunctions(this, {
      names: [...definitionOf('backup').functions, ...extraFunctions],
      ...{ region, code: functionCode(bundle), deadLetters },
    });
    new HoldfastMachine(this, 'Machine', { machine: 'backup', region, functions });

    const group = new CfnScheduleGroup(this, 'ScheduleGroup', {
      name: namesOf(environment.name).scheduleGroup,
    });
    const schedules = { region, deadLettersArn: deadLetters.queueArn };
    const backups = new MachineSchedules(this, 'Schedules', 'backup', schedules);
    backups.node.addDependency(group);
    for (const source of environment.sources) scheduleBackups(backups, source, isPrimary);

    const sentinel = new FunctionSchedule(this, 'SentinelSchedule', {
      ...schedules,
      ...{ name: 'sentinel', functionArn: functions.of('Sentinel').functionArn },
      timing: {
        ...{ at: 'rate(15 minutes)', timeZone: 'UTC', flexibleMinutes: 0, isEnabled: true },
        retrySeconds: 900,
      },
    });
    sentinel.node.addDependency(group);

    const cleanUp = functions.of('CleanUp');
    new FailureRule(this, 'Failed', { machine: 'backup', region, cleanUp, topic, deadLetters });
  }
}

function scheduleBackups(backups: MachineSchedules, source: Source, isEnabled: boolean): void {
  const { name, timeZone, schedules } = source;
  for (const { tier, at, flexibleMinutes } of schedules) {
    backups.add(
      `${name}-${tier}`,
      { at, timeZone, flexibleMinutes, isEnabled, retrySeconds: retrySeconds[tier] },
      { source: name, tier, requestedBy: scheduler },
    );
  }
}
