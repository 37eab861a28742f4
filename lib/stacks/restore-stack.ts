/**
 * Restores and drills in one Region: their functions, both machines, the drills' schedules.
 *
 * In the replica Region it needs nothing of the primary: the vault is the replica, and keys, parameters, backups for
 * safety are those of its own Region.
 */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment, Source } from '../../core/contract/environment.ts';
import { FailureRule } from '../constructs/failure-rule.ts';
import { MachineSchedules, scheduler } from '../constructs/schedule.ts';
import { definitionOf, HoldfastMachine } from '../constructs/state-machine.ts';
import { functionCode } from '../functions/bundle.ts';
import type { RegionProps } from '../functions/region.ts';
import { deadLettersOf, functionOf, makeFunctions, noticesOf } from './region-resources.ts';

export interface RestoreStackProps extends StackProps {
  readonly region: RegionProps;
  /** Folder of the functions' code. Default: what the build leaves. */
  readonly bundle?: string;
}

const machines = ['restore', 'drill'] as const;

/** A drill can be a day late. */
const retrySeconds = 86_400;

export class RestoreStack extends Stack {
  /** Its schedules are in the group of the Backup stack of this Region, its rules call that stack's CleanUp. */
  constructor(scope: Construct, id: string, { region, bundle, ...props }: RestoreStackProps) {
    const { environment, isPrimary } = region;
    super(scope, id, {
      ...props,
      description: `Holdfast ${environment.name}: restores and drills`,
    });
    const deadLetters = deadLettersOf(this, region);
    const topic = noticesOf(this, region);

    const names = new Set(machines.flatMap((machine) => definitionOf(machine).functions));
    const functions = makeFunctions(this, {
      names: [...names],
      ...{ region, code: functionCode(bundle), deadLetters },
    });
    const cleanUp = functionOf(this, 'CleanUp', region);
    for (const machine of machines) {
      new HoldfastMachine(this, `${machine}-machine`, { machine, region, functions });
      new FailureRule(this, `${machine}-failed`, {
        ...{ machine, region, cleanUp, topic, deadLetters },
      });
    }

    const drills = new MachineSchedules(this, 'Schedules', 'drill', {
      region,
      deadLettersArn: deadLetters.queueArn,
    });
    if (isPrimary) for (const source of environment.sources) scheduleDrill(drills, source);
    else scheduleExercise(drills, environment);
  }
}

function scheduleDrill(drills: MachineSchedules, { name, timeZone, drill }: Source): void {
  if (drill === undefined) return;
  const { at, flexibleMinutes, target } = drill;
  drills.add(
    `${name}-drill`,
    { at, timeZone, flexibleMinutes, retrySeconds, isEnabled: true },
    { target, choice: { source: name }, requestedBy: scheduler },
  );
}

function scheduleExercise(drills: MachineSchedules, { exercise }: Environment): void {
  if (exercise === undefined) return;
  const { source, target, at, timeZone } = exercise;
  drills.add(
    'exercise',
    { at, timeZone, flexibleMinutes: 0, retrySeconds, isEnabled: true },
    { target, choice: { source }, requestedBy: scheduler },
  );
}
