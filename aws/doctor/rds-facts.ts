/**
 * What the APIs of AWS say of a server of RDS: collected once, so that each check is a pure function of it.
 *
 * Invariant: reads only. What could not be read throws why when it is looked at, in each check that needs it, and in no
 * other.
 */
import { type CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DescribeSecurityGroupsCommand,
  type EC2Client,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import {
  type DBCluster,
  type DBInstance,
  type Parameter,
  paginateDescribeDBClusterParameters,
  paginateDescribeDBParameters,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { HoldfastError } from '../../core/contract/errors.ts';
import { awsError } from '../aws-error.ts';
import { describeCluster, describeInstance } from '../connection/rds-server.ts';

export interface RdsClients {
  readonly rds: RDSClient;
  readonly ec2: EC2Client;
  readonly cloudwatch: CloudWatchClient;
}

export interface RdsQuestion {
  /** Exactly one of the two. */
  readonly dbInstance?: string;
  readonly dbCluster?: string;
  /** Id of the group of the functions, or of whatever will connect. */
  readonly functionSecurityGroup?: string;
  readonly now: Date;
}

export interface RdsFacts {
  /** `DB instance shop`, `DB cluster shop` */
  readonly what: string;
  /** The instance; of a cluster its writer. */
  readonly instance: DBInstance;
  readonly cluster?: DBCluster;
  /** By name, as the parameter groups have them: those of the cluster, and over them those of the instance. */
  readonly parameters: () => ReadonlyMap<string, string>;
  /** Of the last quarter of an hour, the least; undefined for Aurora, and where nobody measured. */
  readonly freeStorageBytes: () => number | undefined;
  /** Absent: no group of functions was named. */
  readonly groups?: () => SecurityGroups;
  readonly now: Date;
}

export interface SecurityGroups {
  readonly server: readonly SecurityGroup[];
  readonly functions: SecurityGroup;
}

/** The answer later, or its error. */
const attempt = <T>(work: Promise<T>): Promise<() => T> =>
  work.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );

/** @throws when there is no server to look at: DatabaseInstanceNotFoundError, AwsAccessDeniedError, AwsServiceError, ConfigurationError */
export async function collectRdsFacts(
  clients: RdsClients,
  question: RdsQuestion,
): Promise<RdsFacts> {
  const { dbInstance, dbCluster, functionSecurityGroup, now } = question;
  const cluster =
    dbCluster === undefined ? undefined : await describeCluster(clients.rds, dbCluster);
  const instance = await describeInstance(
    clients.rds,
    cluster === undefined ? (dbInstance ?? '') : writerOf(cluster),
  );
  const what = cluster === undefined ? `DB instance ${dbInstance}` : `DB cluster ${dbCluster}`;
  const freeStorage = isAurora(instance)
    ? Promise.resolve(undefined)
    : readFreeStorage(clients.cloudwatch, instance, now);
  return {
    what,
    instance,
    ...(cluster !== undefined && { cluster }),
    parameters: await attempt(readParameters(clients.rds, instance, cluster)),
    freeStorageBytes: await attempt(freeStorage),
    ...(functionSecurityGroup !== undefined && {
      groups: await attempt(readGroups(clients.ec2, instance, functionSecurityGroup)),
    }),
    now,
  };
}

function writerOf({ DBClusterIdentifier, DBClusterMembers }: DBCluster): string {
  const writer = DBClusterMembers?.find(({ IsClusterWriter }) => IsClusterWriter === true);
  if (writer?.DBInstanceIdentifier !== undefined) return writer.DBInstanceIdentifier;
  throw new HoldfastError(
    'DatabaseInstanceNotReadyError',
    `The DB cluster ${DBClusterIdentifier} has no writer.`,
  );
}

export const isAurora = ({ Engine }: Pick<DBInstance, 'Engine'>): boolean =>
  Engine?.startsWith('aurora') ?? false;

async function readParameters(
  client: RDSClient,
  instance: DBInstance,
  cluster: DBCluster | undefined,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const add = (parameters: readonly Parameter[] = []) => {
    for (const { ParameterName: name, ParameterValue: value, Source } of parameters) {
      if (name === undefined || value === undefined) continue;
      // A default of the instance's group is nothing against what somebody set for the cluster.
      if (!values.has(name) || Source === 'user') values.set(name, value);
    }
  };
  const clusterGroup = cluster?.DBClusterParameterGroup;
  const group = instance.DBParameterGroups?.[0]?.DBParameterGroupName;
  try {
    if (clusterGroup !== undefined) {
      const pages = paginateDescribeDBClusterParameters(
        { client },
        { DBClusterParameterGroupName: clusterGroup },
      );
      for await (const { Parameters } of pages) add(Parameters);
    }
    if (group !== undefined) {
      const pages = paginateDescribeDBParameters({ client }, { DBParameterGroupName: group });
      for await (const { Parameters } of pages) add(Parameters);
    }
  } catch (error) {
    const what = `the parameter groups of ${instance.DBInstanceIdentifier}`;
    throw awsError(error, { action: 'rds:DescribeDBParameters', what });
  }
  return values;
}

const quarterHourMs = 15 * 60 * 1000;

async function readFreeStorage(
  cloudwatch: CloudWatchClient,
  { DBInstanceIdentifier: id }: DBInstance,
  now: Date,
): Promise<number | undefined> {
  try {
    const { Datapoints } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'AWS/RDS',
        MetricName: 'FreeStorageSpace',
        Dimensions: [{ Name: 'DBInstanceIdentifier', Value: id }],
        StartTime: new Date(now.getTime() - quarterHourMs),
        EndTime: now,
        Period: 60,
        Statistics: ['Minimum'],
      }),
    );
    const values = (Datapoints ?? []).flatMap(({ Minimum }) => Minimum ?? []);
    return values.length === 0 ? undefined : Math.min(...values);
  } catch (error) {
    const what = `FreeStorageSpace of ${id}`;
    throw awsError(error, { action: 'cloudwatch:GetMetricStatistics', what });
  }
}

async function readGroups(
  ec2: EC2Client,
  instance: DBInstance,
  functionGroup: string,
): Promise<SecurityGroups> {
  const ids = (instance.VpcSecurityGroups ?? []).flatMap(
    ({ VpcSecurityGroupId }) => VpcSecurityGroupId ?? [],
  );
  const describe = async (GroupIds: string[]): Promise<readonly SecurityGroup[]> => {
    // Without ids EC2 describes every group that there is.
    if (GroupIds.length === 0) return [];
    try {
      const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds }));
      return SecurityGroups ?? [];
    } catch (error) {
      const what = `the security groups ${GroupIds.join(', ')}`;
      throw awsError(error, { action: 'ec2:DescribeSecurityGroups', what });
    }
  };
  const [functions] = await describe([functionGroup]);
  return { server: await describe(ids), functions: functions ?? { GroupId: functionGroup } };
}
