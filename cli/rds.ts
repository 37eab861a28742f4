/** The options that name a server of RDS, and clients with the credentials that AWS's own tools would use. */
import { type Command, Option } from 'commander';
import type { RdsClients, RdsQuestion } from '../aws/doctor/rds-facts.ts';
import { HoldfastError } from '../core/contract/errors.ts';

export interface RdsOptions {
  readonly dbInstance?: string;
  readonly dbCluster?: string;
  readonly region?: string;
  readonly functionSecurityGroup?: string;
}

export const addRds = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--db-instance <id>',
        'a DB instance of RDS, looked at through the APIs of AWS',
      ).conflicts('dbCluster'),
    )
    .option('--db-cluster <id>', 'a DB cluster of RDS or Aurora, likewise')
    .option('--region <region>', 'its Region (or AWS_REGION)')
    .option(
      '--function-security-group <id>',
      'of what will connect: whether security groups let it through to the server',
    );

export const namesRds = ({ dbInstance, dbCluster }: RdsOptions): boolean =>
  dbInstance !== undefined || dbCluster !== undefined;

/** @throws UsageError when these options have no server to speak of */
export function rdsQuestion(options: RdsOptions, now: Date): RdsQuestion | undefined {
  const { dbInstance, dbCluster, region, functionSecurityGroup } = options;
  if (namesRds(options)) {
    return {
      ...(dbInstance !== undefined && { dbInstance }),
      ...(dbCluster !== undefined && { dbCluster }),
      ...(functionSecurityGroup !== undefined && { functionSecurityGroup }),
      now,
    };
  }
  const alone = region !== undefined ? '--region' : '--function-security-group';
  if (region === undefined && functionSecurityGroup === undefined) return undefined;
  throw new HoldfastError('UsageError', `${alone} goes with --db-instance or --db-cluster.`);
}

/** @throws UsageError when no Region is named */
export function regionOf({ region }: RdsOptions): string {
  const found = region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? '';
  if (found !== '') return found;
  throw new HoldfastError('UsageError', 'No Region was named.', {
    hint: 'Give --region, or set AWS_REGION.',
  });
}

/** Loaded when they are asked for: the SDK costs half a second, which no other command should pay. */
export async function rdsClients(region: string): Promise<RdsClients> {
  const [{ RDSClient }, { EC2Client }, { CloudWatchClient }] = await Promise.all([
    import('@aws-sdk/client-rds'),
    import('@aws-sdk/client-ec2'),
    import('@aws-sdk/client-cloudwatch'),
  ]);
  return {
    rds: new RDSClient({ region }),
    ec2: new EC2Client({ region }),
    cloudwatch: new CloudWatchClient({ region }),
  };
}
