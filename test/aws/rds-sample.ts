/** A server of RDS with which all is well, as the APIs describe it, and what is changed of it. */
import type { SecurityGroup } from '@aws-sdk/client-ec2';
import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { examineRds } from '../../aws/doctor/rds-doctor.ts';
import type { RdsFacts } from '../../aws/doctor/rds-facts.ts';

const now = new Date('2026-11-21T12:00:00Z');

/** A server with which all is well. */
const good: DBInstance = {
  DBInstanceIdentifier: 'shop',
  Engine: 'postgres',
  EngineVersion: '18.1',
  DBInstanceStatus: 'available',
  Endpoint: { Address: 'shop.example', Port: 5432 },
  DBParameterGroups: [{ DBParameterGroupName: 'shop', ParameterApplyStatus: 'in-sync' }],
  IAMDatabaseAuthenticationEnabled: true,
  CACertificateIdentifier: 'rds-ca-rsa2048-g1',
  CertificateDetails: {
    CAIdentifier: 'rds-ca-rsa2048-g1',
    ValidTill: new Date('2027-10-01T00:00:00Z'),
  },
  DeletionProtection: true,
  MultiAZ: true,
  StorageType: 'gp3',
  AllocatedStorage: 100,
  BackupRetentionPeriod: 7,
  PreferredBackupWindow: '03:00-03:30',
  PreferredMaintenanceWindow: 'sun:05:00-sun:05:30',
};
export const gibibyte = 2 ** 30;

export interface Given {
  readonly instance?: DBInstance;
  readonly cluster?: DBCluster;
  readonly parameters?: Record<string, string>;
  readonly free?: number | undefined;
  readonly groups?: { server: SecurityGroup[]; functions: SecurityGroup };
}

export const factsOf = (given: Given): RdsFacts => {
  const { instance, cluster, parameters = {}, groups } = given;
  const free = 'free' in given ? given.free : 50 * gibibyte;
  return {
    what: cluster === undefined ? 'DB instance shop' : 'DB cluster shop',
    instance: { ...good, ...instance },
    ...(cluster !== undefined && { cluster }),
    parameters: () => new Map(Object.entries(parameters)),
    freeStorageBytes: () => free,
    ...(groups !== undefined && { groups: () => groups }),
    now,
  };
};

/** `status: detail` of one check; undefined when it was not made. */
export const examine = async (given: Given, id: string) => {
  const check = (await examineRds(factsOf(given))).find((one) => one.id === id);
  return check === undefined ? undefined : `${check.status}: ${check.detail}`;
};
