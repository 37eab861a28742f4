import type { SecurityGroup } from '@aws-sdk/client-ec2';
import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { describe, expect, it } from 'vitest';
import { examineRds } from '../../aws/doctor/rds-doctor.ts';
import type { RdsFacts } from '../../aws/doctor/rds-facts.ts';
import { HoldfastError } from '../../core/contract/errors.ts';

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
const gibibyte = 2 ** 30;

interface Given {
  readonly instance?: DBInstance;
  readonly cluster?: DBCluster;
  readonly parameters?: Record<string, string>;
  readonly free?: number | undefined;
  readonly groups?: { server: SecurityGroup[]; functions: SecurityGroup };
}

const factsOf = (given: Given): RdsFacts => {
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

const examine = async (given: Given, id: string) => {
  const check = (await examineRds(factsOf(given))).find((one) => one.id === id);
  return check === undefined ? undefined : `${check.status}: ${check.detail}`;
};

it('where all is well each check is ok and says what it saw; what was not named is not checked', async () => {
  const checks = await examineRds(factsOf({}));
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(checks.map(({ id }) => id)).not.toContain('rds-network');
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { detail, hint } of checks) {
    expect(detail).toMatch(/^\S.*\.$/);
    expect(hint).toBeNull();
  }
});

it('what could not be read is a problem of the checks that need it, and of no other', async () => {
  const facts: RdsFacts = {
    ...factsOf({}),
    parameters: () => {
      throw new HoldfastError('AwsAccessDeniedError', 'rds:DescribeDBParameters … failed.');
    },
  };
  const problems = (await examineRds(facts)).filter(({ status }) => status === 'problem');
  expect(problems.map(({ id }) => id)).toEqual(['rds-force-ssl', 'rds-locks', 'rds-timeouts']);
  expect(problems[0]?.detail).toContain('rds:DescribeDBParameters');
});

const cluster: DBCluster = {
  DBClusterIdentifier: 'shop',
  Engine: 'aurora-postgresql',
  Status: 'available',
  DBClusterMembers: [{ DBInstanceIdentifier: 'shop-1', IsClusterWriter: true }],
};
const withReader = {
  ...cluster,
  DBClusterMembers: [
    ...(cluster.DBClusterMembers ?? []),
    { DBInstanceIdentifier: 'shop-2', IsClusterWriter: false },
  ],
};
const aurora: DBInstance = { Engine: 'aurora-postgresql', EngineVersion: '16.4' };
const replica: DBInstance = { ReadReplicaSourceDBInstanceIdentifier: 'shop-main' };

it.each<[string, string, Given, RegExp]>([
  [
    'rds-status',
    'stopped',
    { instance: { DBInstanceStatus: 'stopped' } },
    /^warning: .*is stopped/,
  ],
  ['rds-engine', 'another engine', { instance: { Engine: 'mysql' } }, /^problem: .*is mysql/],
  [
    'rds-engine',
    'too old',
    { instance: { EngineVersion: '13.18' } },
    /^problem: .*supported are 14 to 18/,
  ],
  ['rds-engine', 'too new', { instance: { EngineVersion: '19.0' } }, /^problem: /],
  [
    'rds-engine',
    'the oldest',
    { instance: { EngineVersion: '14.20' } },
    /^warning: .*near the end/,
  ],
  ['rds-engine', 'Aurora', { instance: aurora }, /^ok: .*aurora-postgresql 16\.4/],
  [
    'rds-parameter-group',
    'a reboot is awaited',
    {
      instance: {
        DBParameterGroups: [{ DBParameterGroupName: 'g', ParameterApplyStatus: 'pending-reboot' }],
      },
    },
    /^warning: g is pending-reboot/,
  ],
  ['rds-force-ssl', 'off', { parameters: { 'rds.force_ssl': '0' } }, /^warning: /],
  ['rds-force-ssl', 'on', { parameters: { 'rds.force_ssl': '1' } }, /^ok: /],
  ['rds-force-ssl', 'default of 14', { instance: { EngineVersion: '14.20' } }, /^warning: /],
  ['rds-force-ssl', 'default of Aurora 16', { instance: aurora }, /^warning: /],
  [
    'rds-locks',
    'few',
    { parameters: { max_locks_per_transaction: '32' } },
    /^warning: .* is 32, less/,
  ],
  [
    'rds-locks',
    'with a plain max_connections',
    { parameters: { max_locks_per_transaction: '128', max_connections: '100' } },
    /^ok: .* 128: enough for 3200 tables\./,
  ],
  [
    'rds-locks',
    'with a formula',
    { parameters: { max_connections: 'LEAST({DBInstanceClassMemory/9531392},5000)' } },
    /^ok: max_locks_per_transaction is 64\.$/,
  ],
  [
    'rds-standby',
    'a replica as RDS makes it',
    { instance: replica },
    /^problem: .*hot_standby_feedback = off.*VACUUM/,
  ],
  [
    'rds-standby',
    'a replica with feedback alone',
    { instance: replica, parameters: { hot_standby_feedback: '1' } },
    /^problem: .*max_standby_streaming_delay = 30s/,
  ],
  [
    'rds-standby',
    'a replica with both',
    {
      instance: replica,
      parameters: { hot_standby_feedback: '1', max_standby_streaming_delay: '-1' },
    },
    /^ok: .*cannot end a snapshot/,
  ],
  [
    'rds-standby',
    'a cluster with a reader',
    { instance: aurora, cluster: withReader, parameters: { hot_standby_feedback: '1' } },
    /^ok: Backups come from the writer.* 1 readers .* is on .*needs on and -1/,
  ],
  [
    'rds-timeouts',
    'set',
    {
      parameters: {
        statement_timeout: '30000',
        idle_in_transaction_session_timeout: '86400000',
        lock_timeout: '0',
      },
    },
    /^ok: statement_timeout = 30000 ms, idle_in_transaction_session_timeout = 86400000 ms: sessions of Holdfast/,
  ],
  [
    'rds-certificate',
    'of 2019',
    { instance: { CertificateDetails: { CAIdentifier: 'rds-ca-2019' } } },
    /^problem: .*expired/,
  ],
  [
    'rds-certificate',
    'about to expire',
    {
      instance: {
        CertificateDetails: { CAIdentifier: 'x', ValidTill: new Date('2026-12-01T00:00:00Z') },
      },
    },
    /^warning: .*valid until 2026-12-01/,
  ],
  [
    'rds-certificate',
    'expired',
    {
      instance: {
        CertificateDetails: { CAIdentifier: 'x', ValidTill: new Date('2026-11-20T00:00:00Z') },
      },
    },
    /^problem: .*expired/,
  ],
  ['rds-deletion-protection', 'off', { instance: { DeletionProtection: false } }, /^warning: /],
  [
    'rds-deletion-protection',
    'that of the cluster',
    { cluster: { ...cluster, DeletionProtection: true }, instance: { DeletionProtection: false } },
    /^ok/,
  ],
  ['rds-multi-az', 'one zone', { instance: { MultiAZ: false } }, /^warning: /],
  ['rds-multi-az', 'a cluster of one', { cluster }, /^warning: /],
  ['rds-multi-az', 'a cluster of two', { cluster: withReader }, /^ok: The cluster has 2/],
  [
    'rds-windows',
    'no automated backups',
    { instance: { BackupRetentionPeriod: 0 } },
    /^warning: .*point in time/,
  ],
  ['rds-windows', 'both told', {}, /^ok: .*03:00-03:30 UTC \(kept 7 days\).*sun:05:00/],
  [
    'rds-storage-type',
    'magnetic',
    { instance: { StorageType: 'standard' } },
    /^warning: standard, 100 GiB/,
  ],
  [
    'rds-storage-type',
    'small gp2',
    { instance: { StorageType: 'gp2' } },
    /^warning: .*has 300 IOPS/,
  ],
  [
    'rds-storage-type',
    'large gp2',
    { instance: { StorageType: 'gp2', AllocatedStorage: 1000 } },
    /^ok: /,
  ],
  ['rds-storage-type', 'Aurora', { instance: aurora }, /^ok: The storage of Aurora/],
  ['rds-free-storage', 'scarce', { free: 9 * gibibyte }, /^warning: 9\.0 of 100 GiB are free/],
  [
    'rds-free-storage',
    'scarce, and it grows',
    { free: 9 * gibibyte, instance: { MaxAllocatedStorage: 200 } },
    /^ok: .*grows to 200 GiB/,
  ],
  ['rds-free-storage', 'nearly none', { free: gibibyte }, /^problem: 1\.0 of 100/],
  [
    'rds-free-storage',
    'full',
    { instance: { DBInstanceStatus: 'storage-full' } },
    /^problem: The storage is full/,
  ],
  ['rds-free-storage', 'not measured', { free: undefined }, /^warning: CloudWatch has no/],
  [
    'rds-iam',
    'off',
    { instance: { IAMDatabaseAuthenticationEnabled: false } },
    /^ok: .*needs a secret/,
  ],
])('%s, %s', async (id, _, given, expected) => {
  expect(await examine(given, id)).toMatch(expected);
});

describe('rds-network', () => {
  const tcp = (rule: object, port = 5432) => ({
    IpProtocol: 'tcp',
    FromPort: port,
    ToPort: port,
    ...rule,
  });
  const everything = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  const fromFunctions = { UserIdGroupPairs: [{ GroupId: 'sg-fn' }] };
  const path = (ingress: object[], egress: object[] = [everything], vpc = 'vpc-1') =>
    examine(
      {
        groups: {
          functions: { GroupId: 'sg-fn', VpcId: 'vpc-1', IpPermissionsEgress: egress },
          server: [
            { GroupId: 'sg-other', VpcId: vpc, IpPermissions: [] },
            { GroupId: 'sg-db', VpcId: vpc, IpPermissions: ingress },
          ],
        },
      },
      'rds-network',
    );

  it.each<[string, object[], RegExp]>([
    ['a rule for the group', [tcp(fromFunctions)], /^ok: .*from sg-fn to port 5432/],
    ['a rule for all ports of the group', [{ IpProtocol: '-1', ...fromFunctions }], /^ok/],
    ['a range of ports', [{ ...tcp(fromFunctions), FromPort: 5000, ToPort: 6000 }], /^ok/],
    [
      'another port',
      [tcp(fromFunctions, 5433)],
      /^problem: No rule of sg-other, sg-db lets sg-fn in/,
    ],
    ['UDP', [{ ...tcp(fromFunctions), IpProtocol: 'udp' }], /^problem/],
    ['another group', [tcp({ UserIdGroupPairs: [{ GroupId: 'sg-x' }] })], /^problem/],
    ['no rule', [], /^problem/],
    [
      'some addresses',
      [tcp({ IpRanges: [{ CidrIp: '10.0.0.0/16' }] })],
      /^warning: .*open to 10\.0\.0\.0\/16/,
    ],
    ['a prefix list', [tcp({ PrefixListIds: [{ PrefixListId: 'pl-1' }] })], /^warning: .*pl-1/],
    ['everybody', [tcp({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] })], /^warning: Any address/],
    ['everybody by IPv6', [tcp({ Ipv6Ranges: [{ CidrIpv6: '::/0' }] })], /^warning: Any address/],
  ])('%s', async (_, ingress, expected) => {
    expect(await path(ingress)).toMatch(expected);
  });

  it('the way out counts as well', async () => {
    const inward = [tcp(fromFunctions)];
    expect(await path(inward, [])).toMatch(/^problem: sg-fn lets nothing out to port 5432/);
    expect(await path(inward, [tcp({ UserIdGroupPairs: [{ GroupId: 'sg-db' }] })])).toMatch(/^ok/);
    expect(await path(inward, [tcp({ IpRanges: [{ CidrIp: '0.0.0.0/0' }] }, 443)])).toMatch(
      /^problem/,
    );
  });

  it('between VPCs a peering is needed, which groups do not tell', async () => {
    expect(await path([tcp(fromFunctions)], [everything], 'vpc-2')).toMatch(
      /^warning: .*different VPCs/,
    );
  });
});
