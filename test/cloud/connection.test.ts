/** From a name to a session: parameters and secrets on the emulator, a real PostgreSQL behind. */
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startServer } from '../support/postgres.ts';
import { cloudEnvironment, whoami } from './connection-support.ts';

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
      message: expect.not.stringContaining('use-system-ca'),
      hint: expect.stringMatching(
        `tls.mode .* of rds-only in environments/${cloud.name}.json.* tls.ca`,
      ),
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
        timeout: 60_000,
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

  it('a login that the server refuses: which secret, where, and which role, and nothing of what is in it', async () => {
    const secret = await secretOf({ password: 'no-longer-this' });
    await cloud.source('changed', { secret, ...plain });
    const error: unknown = await whoami(await cloud.connectionOf('changed')).catch((one) => one);
    expect(error).toMatchObject({ name: 'AuthenticationFailedError' });
    const { message, hint } = error as HoldfastError;
    expect(hint).toContain(`the secret ${secret} in eu-central-1`);
    expect(hint).toContain('role "postgres"');
    expect(`${message} ${hint}`).not.toMatch(/no-longer-this|PGPASSWORD|pgpass/);
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
