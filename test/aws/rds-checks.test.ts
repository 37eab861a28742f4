import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { expect, it } from 'vitest';
import { examineRds } from '../../aws/doctor/rds-doctor.ts';
import type { RdsFacts } from '../../aws/doctor/rds-facts.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { examine, factsOf, type Given, gibibyte } from './rds-sample.ts';

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
