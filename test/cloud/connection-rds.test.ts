/** From a name to a session through RDS, and tokens; instances on the emulator, a real PostgreSQL behind their endpoint. */
import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  RDSClient,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeConnectionOf } from '../../aws/connection/connection-of.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { startServer } from '../support/postgres.ts';
import { clientConfig, cloudEnvironment, region, whoami } from './connection-support.ts';

const cloud = cloudEnvironment();
let server: EmbeddedServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

const login = () => ({ username: 'postgres', password: server.password });
const plain = { tls: { mode: 'disable' } };

describe('a source by RDS', () => {
  const create = (id: string, more: Partial<CreateDBInstanceCommandInput> = {}) =>
    cloud.rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: `${cloud.name}-${id}`,
        Engine: 'postgres',
        DBInstanceClass: 'db.t4g.medium',
        AllocatedStorage: 20,
        MasterUsername: 'postgres',
        MasterUserPassword: 'whatever-it-is',
        DBName: 'template1',
        Port: server.port,
        ...more,
      }),
    );

  it('an instance gives host, port and database, a secret of RDS the login', async () => {
    await create('plain');
    const secret = await cloud.secret(login());
    await cloud.source('by-instance', { dbInstance: `${cloud.name}-plain`, secret, ...plain });
    const settings = await cloud.connectionOf('by-instance');
    expect(settings).toMatchObject({ port: server.port, database: 'template1' });
    expect(await whoami(settings)).toMatchObject({ user: 'postgres', database: 'template1' });
  });

  it('a cluster gives its writer, with reader one of its readers, if it has any', async () => {
    const DBClusterIdentifier = `${cloud.name}-cluster`;
    await cloud.rds.send(
      new CreateDBClusterCommand({
        DBClusterIdentifier,
        Engine: 'aurora-postgresql',
        MasterUsername: 'postgres',
        MasterUserPassword: 'whatever-it-is',
        DatabaseName: 'postgres',
        Port: server.port,
      }),
    );
    const secret = await cloud.secret(login());
    const connection = { dbCluster: DBClusterIdentifier, secret, ...plain };
    await cloud.source('cluster-reader', { ...connection, reader: true });
    await expect(cloud.connectionOf('cluster-reader')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: `reader is true and the DB cluster ${DBClusterIdentifier} has no reader.`,
    });
    for (const id of ['c-1', 'c-2']) {
      await create(id, { DBClusterIdentifier, Engine: 'aurora-postgresql' });
    }
    await cloud.source('cluster', connection);
    for (const name of ['cluster', 'cluster-reader']) {
      const settings = await cloud.fresh().connectionOf(name);
      expect(await whoami(settings), name).toMatchObject({
        user: 'postgres',
        database: 'postgres',
      });
    }
  });

  it('an instance or cluster that is not there is named', async () => {
    const secret = await cloud.secret(login());
    await cloud.source('no-instance', { dbInstance: 'nowhere', secret });
    await cloud.source('no-cluster', { dbCluster: 'nowhere', secret });
    await expect(cloud.connectionOf('no-instance')).rejects.toMatchObject({
      name: 'DatabaseInstanceNotFoundError',
      message: expect.stringContaining('the DB instance nowhere'),
    });
    await expect(cloud.connectionOf('no-cluster')).rejects.toMatchObject({
      name: 'DatabaseInstanceNotFoundError',
      message: expect.stringContaining('the DB cluster nowhere'),
    });
  });

  it('with IAM: a token of its own for each connection, signed with the credentials at hand', async () => {
    await create('iam', { EnableIAMDatabaseAuthentication: true });
    const iam = { dbInstance: `${cloud.name}-iam`, auth: 'iam', user: 'backup' };
    await cloud.source('iam', iam);
    let asked = 0;
    const { credentials, ...config } = clientConfig();
    const rds = new RDSClient({
      ...config,
      credentials: async () => {
        asked += 1;
        return { ...credentials, sessionToken: `session-${asked}` };
      },
    });
    const { ssm, secrets } = cloud;
    const { connectionOf } = makeConnectionOf({
      ssm,
      secrets,
      rds,
      region,
      environment: cloud.name,
    });
    const settings = await connectionOf('iam');
    expect(settings).toMatchObject({ user: 'backup', sslMode: 'verify-full' });
    const token = new URL(`https://${await settings.password()}`);
    expect(token.host).toBe(`${settings.host}:${settings.port}`);
    expect(Object.fromEntries(token.searchParams)).toMatchObject({
      Action: 'connect',
      DBUser: 'backup',
      'X-Amz-Expires': '900',
      'X-Amz-Credential': expect.stringContaining(`/${region}/rds-db/aws4_request`),
    });
    expect(token.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('with IAM where it is switched off, or without TLS: refused before anything is tried', async () => {
    await create('no-iam');
    await create('iam-plain', { EnableIAMDatabaseAuthentication: true });
    const iam = { auth: 'iam', user: 'backup' };
    await cloud.source('no-iam', { ...iam, dbInstance: `${cloud.name}-no-iam` });
    await cloud.source('iam-plain', { ...iam, dbInstance: `${cloud.name}-iam-plain`, ...plain });
    await expect(cloud.connectionOf('no-iam')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('IAM database authentication is off'),
      hint: expect.stringContaining('GRANT rds_iam TO "backup"'),
    });
    await expect(cloud.connectionOf('iam-plain')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('tls.mode disable'),
    });
  });

  it('a backup that begins in a window of RDS is warned about, and none that does not', async () => {
    await create('windows', { BackupRetentionPeriod: 7 });
    await cloud.source('windows', {
      dbInstance: `${cloud.name}-windows`,
      secret: await cloud.secret(login()),
    });
    // The emulator's own: 03:00-04:00 daily, sun:05:00-sun:06:00.
    const codes = async (time: string) =>
      (await cloud.sourceWarnings('windows', new Date(time))).map(({ code }) => code);
    expect(await codes('2026-11-22T03:30:00Z')).toEqual(['rds-backup-window']);
    expect(await codes('2026-11-22T05:30:00Z')).toEqual(['rds-maintenance-window']);
    expect(await codes('2026-11-22T12:00:00Z')).toEqual([]);
    await cloud.source('no-rds', { secret: await cloud.secret(login()) });
    expect(await cloud.sourceWarnings('no-rds', new Date('2026-11-22T03:30:00Z'))).toEqual([]);
  });
});
