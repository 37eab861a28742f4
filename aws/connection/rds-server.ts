/**
 * The server that RDS has under a name: where it listens, and whether a backup may use it now.
 *
 * Invariant: an instance or cluster that is not found, not ready or not PostgreSQL is an error of its own with what to do;
 * a reader is one server by its own name, since a snapshot lives on one server and the reader endpoint leads to any.
 */
import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { HoldfastError } from '../../core/contract/errors.ts';
import { awsError } from '../aws-error.ts';

export interface RdsServer {
  readonly host: string;
  readonly port: number;
  /** The first database that RDS made, if it made one. */
  readonly database: string | undefined;
  readonly hasIamAuth: boolean;
  /** Daily, UTC, `04:00-04:30`; undefined without automated backups. */
  readonly backupWindow: string | undefined;
  /** Weekly, UTC, `sun:05:00-sun:05:30`. */
  readonly maintenanceWindow: string | undefined;
  /** RDS takes its own backups from the standby then. */
  readonly isMultiAz: boolean;
}

export interface RdsReference {
  readonly dbInstance?: string | undefined;
  readonly dbCluster?: string | undefined;
  readonly reader: boolean;
}

/**
 * In which connections are taken. Docs: "Viewing Amazon RDS DB instance status"; the others (`stopped`, `rebooting`,
 * `upgrading`, `failed` …) refuse them, now or soon.
 */
const servingStatuses = new Set([
  'available',
  'backing-up',
  'configuring-enhanced-monitoring',
  'configuring-iam-database-auth',
  'configuring-log-exports',
  'modifying',
  'storage-config-upgrade',
  'storage-initialization',
  'storage-optimization',
]);

/** @throws DatabaseInstanceNotFoundError, DatabaseInstanceNotReadyError, ConfigurationError, AwsAccessDeniedError, AwsServiceError */
export async function findRdsServer(rds: RDSClient, reference: RdsReference): Promise<RdsServer> {
  const { dbInstance, dbCluster, reader } = reference;
  if (dbCluster !== undefined) {
    const cluster = await describeCluster(rds, dbCluster);
    const server = clusterServer(cluster, dbCluster);
    return reader ? await readerOf(rds, cluster, dbCluster, server) : server;
  }
  if (dbInstance === undefined)
    throw new HoldfastError('InternalError', 'Neither dbInstance nor dbCluster is named.');
  if (reader) {
    throw new HoldfastError(
      'ConfigurationError',
      `reader is true for dbInstance ${dbInstance}; allowed is that for a dbCluster.`,
      { hint: 'Name the replica itself as dbInstance.' },
    );
  }
  return instanceServer(await describeInstance(rds, dbInstance), dbInstance);
}

/** @throws as `findRdsServer` */
export async function describeInstance(rds: RDSClient, id: string): Promise<DBInstance> {
  const what = `the DB instance ${id}`;
  try {
    const { DBInstances } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }),
    );
    return DBInstances?.[0] ?? notFound(what);
  } catch (error) {
    throw rdsError(error, 'rds:DescribeDBInstances', what);
  }
}

/** @throws as `findRdsServer` */
export async function describeCluster(rds: RDSClient, id: string): Promise<DBCluster> {
  const what = `the DB cluster ${id}`;
  try {
    const { DBClusters } = await rds.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: id }),
    );
    return DBClusters?.[0] ?? notFound(what);
  } catch (error) {
    throw rdsError(error, 'rds:DescribeDBClusters', what);
  }
}

const notFound = (what: string): never => {
  throw new HoldfastError('DatabaseInstanceNotFoundError', `RDS does not have ${what}.`);
};

const rdsError = (error: unknown, action: string, what: string) =>
  awsError(error, {
    action,
    what,
    names: {
      DBInstanceNotFoundFault: 'DatabaseInstanceNotFoundError',
      DBInstanceNotFound: 'DatabaseInstanceNotFoundError',
      DBClusterNotFoundFault: 'DatabaseInstanceNotFoundError',
    },
  });

export function instanceServer(instance: DBInstance, id: string): RdsServer {
  const what = `the DB instance ${id}`;
  requireEngine(what, instance.Engine);
  requireServing(what, instance.DBInstanceStatus);
  const { Address, Port } = instance.Endpoint ?? {};
  return {
    ...endpointOf(what, Address, Port),
    database: instance.DBName,
    hasIamAuth: instance.IAMDatabaseAuthenticationEnabled ?? false,
    backupWindow: windowOf(instance.BackupRetentionPeriod, instance.PreferredBackupWindow),
    maintenanceWindow: instance.PreferredMaintenanceWindow,
    isMultiAz: instance.MultiAZ ?? false,
  };
}

function clusterServer(cluster: DBCluster, id: string): RdsServer {
  const what = `the DB cluster ${id}`;
  requireEngine(what, cluster.Engine);
  requireServing(what, cluster.Status);
  return {
    ...endpointOf(what, cluster.Endpoint, cluster.Port),
    database: cluster.DatabaseName,
    hasIamAuth: cluster.IAMDatabaseAuthenticationEnabled ?? false,
    backupWindow: windowOf(cluster.BackupRetentionPeriod, cluster.PreferredBackupWindow),
    maintenanceWindow: cluster.PreferredMaintenanceWindow,
    // Aurora's backups are made by its storage; a Multi-AZ DB cluster has readers for them.
    isMultiAz: true,
  };
}

/** The first by name that serves, so that all functions of a run choose the same one. */
async function readerOf(
  rds: RDSClient,
  cluster: DBCluster,
  id: string,
  writer: RdsServer,
): Promise<RdsServer> {
  const names = (cluster.DBClusterMembers ?? [])
    .filter(({ IsClusterWriter }) => IsClusterWriter !== true)
    .map(({ DBInstanceIdentifier }) => DBInstanceIdentifier ?? '')
    .sort();
  const states: string[] = [];
  for (const name of names) {
    const reader = await describeInstance(rds, name);
    if (servingStatuses.has(reader.DBInstanceStatus ?? '')) {
      const { host, port } = instanceServer(reader, name);
      return { ...writer, host, port };
    }
    states.push(`${name} is ${reader.DBInstanceStatus}`);
  }
  if (states.length > 0) throw notReady(`the DB cluster ${id}`, states.join(', '));
  throw new HoldfastError(
    'ConfigurationError',
    `reader is true and the DB cluster ${id} has no reader.`,
    { hint: 'Add a reader to the cluster, or leave reader out.' },
  );
}

function requireEngine(what: string, engine: string | undefined): void {
  if (engine === 'postgres' || engine === 'aurora-postgresql') return;
  throw new HoldfastError(
    'ConfigurationError',
    `The engine of ${what} is ${engine}; allowed are postgres and aurora-postgresql.`,
  );
}

function requireServing(what: string, status: string | undefined): void {
  if (!servingStatuses.has(status ?? '')) throw notReady(what, `its status is ${status}`);
}

const notReady = (what: string, why: string) =>
  new HoldfastError(
    'DatabaseInstanceNotReadyError',
    `${what[0]?.toUpperCase()}${what.slice(1)} takes no connections: ${why}.`,
  );

function endpointOf(what: string, host: string | undefined, port: number | undefined) {
  if (host !== undefined && port !== undefined) return { host, port };
  throw notReady(what, 'it has no endpoint yet');
}

const windowOf = (retentionDays: number | undefined, window: string | undefined) =>
  (retentionDays ?? 0) > 0 ? window : undefined;
