/** From a name to a session: parameters, secrets and RDS on the emulator, a real PostgreSQL behind. */
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  RDSClient,
} from '@aws-sdk/client-rds';
import { DeleteSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeConnectionOf } from '../../aws/connection/connection-of.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { openSession } from '../../core/postgres/session.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startServer } from '../support/postgres.ts';
import { clientConfig, cloudEnvironment, region } from './connection-support.ts';

const cloud = cloudEnvironment();
const certificates = makeCertificates('localhost');
let server: EmbeddedServer;

beforeAll(async () => {
  server = await startServer({
    settings: ['ssl=on', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key'],
    prepare(folder, owner) {
      const files = { 'server.crt': certificates.certificate, 'server.key': certificates.key };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        if (owner !== undefined) chownSync(join(folder, name), owner.uid, owner.gid);
      }
    },
  });
});
afterAll(() => server?.stop());

const login = () => ({ username: 'postgres', password: server.password });
const secretOf = (more: object = {}) =>
  cloud.secret({ ...login(), host: 'localhost', port: server.port, dbname: 'postgres', ...more });
const plain = { tls: { mode: 'disable' } };

/** Who and where we are, as the server says. */
async function whoami(settings: ConnectionSettings) {
  await using session = await openSession(settings, { applicationName: 't', purpose: 'control' });
  const [row] = await session.query(
    'SELECT current_user AS user, current_database() AS database, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  return row;
}

describe('a source by its secret', () => {
  it('is reached over TLS whose certificate is checked against the authority given, host name and all', async () => {
    const secret = await secretOf();
    await cloud.source('shop', { secret, tls: { ca: certificates.root } });
    const settings = await cloud.connectionOf('shop');
    expect(settings).toMatchObject({ host: 'localhost', sslMode: 'verify-full' });
    expect(await whoami(settings)).toEqual({ user: 'postgres', database: 'postgres', ssl: true });

    await cloud.source('elsewhere', {
      secret: await secretOf({ host: '127.0.0.1' }),
      tls: { ca: certificates.root },
    });
    await expect(whoami(await cloud.connectionOf('elsewhere'))).rejects.toMatchObject({
      name: 'TlsError',
    });
  });

  it('without an authority given trusts those of RDS and nobody else', async () => {
    await cloud.source('rds-only', { secret: await secretOf() });
    await expect(whoami(await cloud.connectionOf('rds-only'))).rejects.toMatchObject({
      name: 'TlsError',
    });
  });

  it('follows a rotation: the next connection has the new password', async () => {
    const secret = await secretOf({ password: 'not yet' });
    await cloud.source('rotated', { secret, ...plain });
    const { connectionOf } = cloud.fresh();
    const settings = await connectionOf('rotated');
    await cloud.secrets.send(
      new PutSecretValueCommand({
        SecretId: secret,
        SecretString: JSON.stringify({ ...login(), host: 'localhost', port: server.port }),
      }),
    );
    await expect
      .poll(() => whoami(settings).catch((error: Error) => error.name), {
        timeout: 15_000,
        interval: 500,
      })
      .toMatchObject({ user: 'postgres' });
  });

  it('keeps user and password together when rotation puts another user in', async () => {
    const secret = await secretOf();
    await cloud.source('alternating', { secret, ...plain });
    const { connectionOf } = cloud.fresh();
    const settings = await connectionOf('alternating');
    await cloud.secrets.send(
      new PutSecretValueCommand({
        SecretId: secret,
        SecretString: JSON.stringify({ username: 'postgres_clone', password: 'x' }),
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    expect(await whoami(settings)).toMatchObject({ user: 'postgres' });
  });

  it('names the database of the connection before that of the secret', async () => {
    await cloud.source('template', { secret: await secretOf(), database: 'template1', ...plain });
    expect(await whoami(await cloud.connectionOf('template'))).toMatchObject({
      database: 'template1',
    });
  });

  it('a target is found by its name too, and a source of the same name goes first', async () => {
    await cloud.target('restore', { secret: await secretOf({ dbname: 'template1' }), ...plain });
    expect((await cloud.connectionOf('restore')).database).toBe('template1');
    await cloud.source('both', { secret: await secretOf(), ...plain });
    await cloud.target('both', { secret: await secretOf({ dbname: 'template1' }), ...plain });
    expect((await cloud.connectionOf('both')).database).toBe('postgres');
    await expect(cloud.sourceOf('restore')).rejects.toMatchObject({
      name: 'ConnectionNotFoundError',
    });
    expect(await cloud.sourceOf('both')).toMatchObject({
      name: 'both',
      lockMode: 'GOVERNANCE',
      jobs: 8,
    });
  });
});

describe('what is refused, and what is said', () => {
  it('a name that nobody has', async () => {
    await expect(cloud.connectionOf('nobody')).rejects.toMatchObject({
      name: 'ConnectionNotFoundError',
      message: `The environment ${cloud.name} has no source and no target "nobody".`,
    });
  });

  it('a parameter that is not as the stacks write it', async () => {
    await cloud.parameter(namesOf(cloud.name).sourceParameter('odd'), '{"name":"odd"}');
    await expect(cloud.connectionOf('odd')).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining(
        `/holdfast-${cloud.name}/sources/odd is not allowed: connection:`,
      ),
    });
  });

  it('a secret that is not there, was deleted, or does not hold a login', async () => {
    const deleted = await secretOf();
    await cloud.secrets.send(new DeleteSecretCommand({ SecretId: deleted }));
    const cases: [string, string, string][] = [
      ['gone', 'no/such/secret', 'SecretNotFoundError'],
      ['deleted', deleted, 'SecretNotFoundError'],
      ['odd-secret', await cloud.secret('hunter2'), 'SecretInvalidError'],
      ['homeless', await cloud.secret(login()), 'SecretInvalidError'],
    ];
    for (const [name, secret, error] of cases) {
      await cloud.source(name, { secret, ...plain });
      const refusal = cloud.connectionOf(name);
      await expect(refusal, name).rejects.toMatchObject({
        name: error,
        message: expect.stringContaining(secret),
      });
      await expect(refusal, name).rejects.not.toThrow(/hunter2/);
    }
  });
});

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
    await cloud.source('no-rds', { secret: await secretOf() });
    expect(await cloud.sourceWarnings('no-rds', new Date('2026-11-22T03:30:00Z'))).toEqual([]);
  });
});
