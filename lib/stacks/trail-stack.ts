/** The trail of one Region, where the environment asks for one: what it has logged outlives whoever it tells of. */
import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { AlarmPlace } from '../alarms/alarms-of.ts';
import { VaultTrail } from '../constructs/trail.ts';

export interface TrailStackProps extends StackProps {
  readonly where: AlarmPlace;
}

export class TrailStack extends Stack {
  constructor(scope: Construct, id: string, { where, ...props }: TrailStackProps) {
    super(scope, id, {
      ...props,
      env: where.place,
      terminationProtection: true,
      description: `Holdfast ${where.environment.name}: trail of what is done to keys and vaults`,
    });
    new VaultTrail(this, 'Trail', where);
  }
}
