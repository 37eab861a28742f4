/** `holdfast doctor --db-instance` as a person types it: its own process, the default credential chain, the emulator's APIs. */
import { randomBytes } from 'node:crypto';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  CreateVpcCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  CreateDBClusterCommand,
  CreateDBClusterParameterGroupCommand,
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  ModifyDBClusterParameterGroupCommand,
  ModifyDBParameterGroupCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { beforeAll, expect, inject, it } from 'vitest';
import { holdfast } from '../support/cli.ts';
import { clientConfig, region } from './connection-support.ts';

const rds = new RDSClient(clientConfig());
const ec2 = new EC2Client(clientConfig());
const cloudwatch = new CloudWatchClient(clientConfig());
const id = `d${randomBytes(4).toString('hex')}`;
let groups: { readonly server: string; readonly functions: string };

interface Doctor {
  readonly verdict: string;
  readonly checks: { id: string; status: string; detail: string; hint: string | null }[];
}

beforeAll(async () => {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.7.0.0/16' }));
  const group = async (name: string) => {
    const { GroupId } = await ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: `${id}-${name}`,
        Description: name,
        VpcId: Vpc?.VpcId,
      }),
    );
    return GroupId as string;
  };
  groups = { server: await group('server'), functions: await group('functions') };
  await rds.send(
    new CreateDBParameterGroupCommand({
      DBParameterGroupName: id,
      DBParameterGroupFamily: 'postgres18',
      Description: id,
    }),
  );
  const set = {
    'rds.force_ssl': '0',
    max_locks_per_transaction: '256',
    statement_timeout: '60000',
  };
  await rds.send(
    new ModifyDBParameterGroupCommand({
      DBParameterGroupName: id,
      Parameters: Object.entries(set).map(([ParameterName, ParameterValue]) => ({
        ParameterName,
        ParameterValue,
        ApplyMethod: 'immediate',
      })),
    }),
  );
  await rds.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: id,
      Engine: 'postgres',
      EngineVersion: '18.1',
      DBInstanceClass: 'db.t4g.medium',
      AllocatedStorage: 100,
      StorageType: 'gp3',
      MasterUsername: 'app',
      MasterUserPassword: 'whatever-it-is',
      DBParameterGroupName: id,
      VpcSecurityGroupIds: [groups.server],
      EnableIAMDatabaseAuthentication: true,
    }),
  );
  await cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: 'AWS/RDS',
      MetricData: [
        {
          MetricName: 'FreeStorageSpace',
          Dimensions: [{ Name: 'DBInstanceIdentifier', Value: id }],
          Value: 5 * 2 ** 30,
          Unit: 'Bytes',
          Timestamp: new Date(Date.now() - 120_000),
        },
      ],
    }),
  );
});

async function doctor(...options: string[]) {
  const result = await holdfast(['doctor', '--region', region, '--json', ...options], {
    env: { ...inject('cloud').env, HOLDFAST_VAULT: '', DATABASE_URL: '' },
  });
  const { verdict, checks } = result.json<Doctor>();
  const found = Object.fromEntries(checks.map((one) => [one.id, `${one.status}: ${one.detail}`]));
  return { code: result.code, verdict, checks, found };
}

it('an instance is looked at from outside: settings, storage, protection, without a login', async () => {
  const { code, verdict, found } = await doctor('--db-instance', id);
  expect(found).toMatchObject({
    'rds-found': `ok: The DB instance ${id} is there.`,
    'rds-status': expect.stringMatching(/^ok/),
    'rds-engine': expect.stringMatching(/^ok: .* postgres 18\.1/),
    'rds-force-ssl': expect.stringMatching(/^warning: rds\.force_ssl is off/),
    'rds-locks': 'ok: max_locks_per_transaction is 256: enough for 6400 tables.',
    'rds-timeouts': expect.stringContaining('statement_timeout = 60000 ms'),
    'rds-free-storage': expect.stringMatching(/^warning: 5\.0 of 100 GiB/),
    'rds-iam': expect.stringContaining('is on'),
    'rds-deletion-protection': expect.stringMatching(/^warning/),
  });
  expect(found).not.toHaveProperty('rds-network');
  expect([verdict, code]).toEqual(['good', 0]);
});

it('the way from the functions is a problem until the group lets them in, with the command that does it', async () => {
  const options = ['--db-instance', id, '--function-security-group', groups.functions];
  const before = await doctor(...options);
  expect(before.found['rds-network']).toMatch(/^problem: No rule of sg-/);
  expect(before.checks.find((one) => one.id === 'rds-network')?.hint).toBe(
    `aws ec2 authorize-security-group-ingress --group-id ${groups.server} --protocol tcp --port 5432 --source-group ${groups.functions}`,
  );
  expect([before.verdict, before.code]).toEqual(['problem', 1]);
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: groups.server,
      IpPermissions: [
        {
          IpProtocol: 'tcp',
          FromPort: 5432,
          ToPort: 5432,
          UserIdGroupPairs: [{ GroupId: groups.functions }],
        },
      ],
    }),
  );
  const after = await doctor(...options);
  expect(after.found['rds-network']).toMatch(/^ok: Security groups allow the way/);
  expect(after.code).toBe(0);
});

it('a cluster is looked at by its writer', async () => {
  const cluster = `${id}-c`;
  const DBParameterGroupFamily = 'aurora-postgresql17';
  const DBClusterParameterGroupName = cluster;
  await rds.send(
    new CreateDBClusterParameterGroupCommand({
      ...{ DBClusterParameterGroupName, DBParameterGroupFamily, Description: id },
    }),
  );
  await rds.send(
    new ModifyDBClusterParameterGroupCommand({
      DBClusterParameterGroupName,
      Parameters: [
        {
          ParameterName: 'hot_standby_feedback',
          ParameterValue: '1',
          ApplyMethod: 'immediate',
        },
      ],
    }),
  );
  await rds.send(
    new CreateDBClusterCommand({
      DBClusterIdentifier: cluster,
      Engine: 'aurora-postgresql',
      MasterUsername: 'app',
      MasterUserPassword: 'whatever-it-is',
      DBClusterParameterGroupName,
    }),
  );
  const empty = await doctor('--db-cluster', cluster);
  expect(empty.found).toEqual({
    'rds-found': `problem: The DB cluster ${cluster} has no writer.`,
  });
  for (const n of [1, 2]) {
    await rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: `${cluster}-${n}`,
        DBClusterIdentifier: cluster,
        DBParameterGroupName: id,
        Engine: 'aurora-postgresql',
        DBInstanceClass: 'db.r6g.large',
      }),
    );
  }
  const { found, code } = await doctor('--db-cluster', cluster);
  expect(found).toMatchObject({
    'rds-engine': expect.stringMatching(/^ok: .*aurora-postgresql/),
    'rds-standby': expect.stringMatching(
      /^ok: Backups come from the writer\. For its 1 readers hot_standby_feedback is on/,
    ),
    'rds-multi-az': 'ok: The cluster has 2 instances.',
  });
  expect(code).toBe(0);
});

it('a server that is not there is a problem with what to do', async () => {
  const { checks, code } = await doctor('--db-instance', 'nowhere');
  expect(checks).toEqual([
    expect.objectContaining({
      id: 'rds-found',
      status: 'problem',
      detail: expect.stringContaining('the DB instance nowhere'),
      hint: expect.stringContaining('Region'),
    }),
  ]);
  expect(code).toBe(1);
});
