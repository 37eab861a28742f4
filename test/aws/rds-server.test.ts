import { X509Certificate } from 'node:crypto';
import { type DBInstance, RDSClient } from '@aws-sdk/client-rds';
import { describe, expect, it } from 'vitest';
import { rdsAuthorities } from '../../aws/connection/authorities.ts';
import { findRdsServer, instanceServer } from '../../aws/connection/rds-server.ts';
import { refusingService, xmlRefusal } from './refusing-service.ts';

const shop: DBInstance = {
  DBInstanceIdentifier: 'shop',
  Engine: 'postgres',
  DBInstanceStatus: 'available',
  Endpoint: { Address: 'shop.abc.eu-central-1.rds.amazonaws.com', Port: 5432 },
  DBName: 'shop',
  IAMDatabaseAuthenticationEnabled: true,
  BackupRetentionPeriod: 7,
  PreferredBackupWindow: '03:00-03:30',
  PreferredMaintenanceWindow: 'sun:05:00-sun:05:30',
  MultiAZ: true,
};

describe('an instance, as RDS describes it', () => {
  it('is a server while it takes connections, also while it is being backed up or changed', () => {
    for (const DBInstanceStatus of [
      'available',
      'backing-up',
      'modifying',
      'storage-optimization',
    ]) {
      expect(instanceServer({ ...shop, DBInstanceStatus }, 'shop')).toEqual({
        host: 'shop.abc.eu-central-1.rds.amazonaws.com',
        port: 5432,
        database: 'shop',
        hasIamAuth: true,
        backupWindow: '03:00-03:30',
        maintenanceWindow: 'sun:05:00-sun:05:30',
        isMultiAz: true,
      });
    }
  });

  it('has no backup window when it has no automated backups', () => {
    const server = instanceServer({ ...shop, BackupRetentionPeriod: 0 }, 'shop');
    expect(server.backupWindow).toBeUndefined();
  });

  it.each([
    'stopped',
    'stopping',
    'creating',
    'rebooting',
    'upgrading',
    'failed',
    'storage-full',
    undefined,
  ])(
    'takes no connections while it is %s: to be tried again, with the status',
    (DBInstanceStatus) => {
      expect(() => instanceServer({ ...shop, DBInstanceStatus }, 'shop')).toThrow(
        expect.objectContaining({
          name: 'DatabaseInstanceNotReadyError',
          retryable: true,
          message: `The DB instance shop takes no connections: its status is ${DBInstanceStatus}.`,
        }),
      );
    },
  );

  it('without an endpoint is not ready; of another engine it is refused', () => {
    const { Endpoint: _, ...creating } = shop;
    expect(() => instanceServer(creating, 'shop')).toThrow(/it has no endpoint yet/);
    expect(() => instanceServer({ ...shop, Engine: 'mysql' }, 'shop')).toThrow(
      expect.objectContaining({
        name: 'ConfigurationError',
        message:
          'The engine of the DB instance shop is mysql; allowed are postgres and aurora-postgresql.',
      }),
    );
  });

  it('has readers only as a cluster', async () => {
    const rds = new RDSClient({ region: 'eu-central-1' });
    await expect(findRdsServer(rds, { dbInstance: 'shop', reader: true })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'reader is true for dbInstance shop; allowed is that for a dbCluster.',
    });
  });
});

describe('a reader of a cluster', () => {
  const answer = (action: string, content: string) => ({
    status: 200,
    contentType: 'text/xml',
    body: `<${action}Response><${action}Result>${content}</${action}Result></${action}Response>`,
  });
  const member = (id: string, isWriter: boolean) =>
    `<DBClusterMember><DBInstanceIdentifier>${id}</DBInstanceIdentifier><IsClusterWriter>${isWriter}</IsClusterWriter></DBClusterMember>`;
  const find = async (members: string, statusOf: (id: string) => string) => {
    await using service = await refusingService((body) => {
      const id = new URLSearchParams(body).get('DBInstanceIdentifier');
      if (id === null) {
        return answer(
          'DescribeDBClusters',
          `<DBClusters><DBCluster><Engine>aurora-postgresql</Engine><Status>available</Status>
            <Endpoint>c.cluster-1.example</Endpoint><ReaderEndpoint>c.cluster-ro-1.example</ReaderEndpoint><Port>5432</Port>
            <DatabaseName>shop</DatabaseName><DBClusterMembers>${members}</DBClusterMembers></DBCluster></DBClusters>`,
        );
      }
      return answer(
        'DescribeDBInstances',
        `<DBInstances><DBInstance><DBInstanceIdentifier>${id}</DBInstanceIdentifier><Engine>aurora-postgresql</Engine>
          <DBInstanceStatus>${statusOf(id)}</DBInstanceStatus>
          <Endpoint><Address>${id}.example</Address><Port>5432</Port></Endpoint></DBInstance></DBInstances>`,
      );
    });
    return await findRdsServer(new RDSClient(service.config), { dbCluster: 'c', reader: true });
  };
  const members = member('c-1', true) + member('c-3', false) + member('c-2', false);

  it('is one by its own name, always the same: the reader endpoint leads to any, and a snapshot lives on one', async () => {
    expect(await find(members, () => 'available')).toMatchObject({
      host: 'c-2.example',
      database: 'shop',
    });
  });

  it('is the next one when the first takes no connections; without any it is told of each', async () => {
    const one = (id: string) => (id === 'c-2' ? 'rebooting' : 'available');
    expect(await find(members, one)).toMatchObject({ host: 'c-3.example' });
    await expect(find(members, () => 'rebooting')).rejects.toMatchObject({
      name: 'DatabaseInstanceNotReadyError',
      message: 'The DB cluster c takes no connections: c-2 is rebooting, c-3 is rebooting.',
    });
    await expect(find(member('c-1', true), () => 'available')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'reader is true and the DB cluster c has no reader.',
    });
  });
});

it.each([
  ['DBInstanceNotFound', 404, 'DatabaseInstanceNotFoundError'],
  ['AccessDenied', 403, 'AwsAccessDeniedError'],
  ['Throttling', 400, 'AwsServiceError'],
  ['InternalFailure', 500, 'AwsServiceError'],
  ['InvalidParameterValue', 400, 'ConfigurationError'],
])('%s of RDS is %s %s: a refusal is never "not there"', async (code, status, name) => {
  await using service = await refusingService(xmlRefusal(code, 'User x is told so', status));
  const rds = new RDSClient(service.config);
  await expect(findRdsServer(rds, { dbInstance: 'shop', reader: false })).rejects.toMatchObject({
    name,
    message: expect.stringMatching(
      /^rds:DescribeDBInstances for the DB instance shop failed: .*told so\.$/,
    ),
  });
});

it('the authorities of RDS are the three of every Region, valid, and none of its test Regions', () => {
  const authorities = rdsAuthorities().map((pem) => new X509Certificate(pem));
  const names = authorities.map(({ subject }) => /CN=(.*)/.exec(subject)?.[1] ?? '');
  for (const region of ['eu-central-1', 'us-east-1', 'ap-southeast-2', 'sa-east-1']) {
    for (const key of ['RSA2048', 'RSA4096', 'ECC384']) {
      expect(names).toContain(`Amazon RDS ${region} Root CA ${key} G1`);
    }
  }
  expect(names.filter((name) => /Beta|Preview/.test(name))).toEqual([]);
  expect(authorities.filter(({ validTo }) => Date.parse(validTo) < Date.now())).toEqual([]);
});
