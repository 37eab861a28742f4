import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectionSettings, SslMode } from '../../core/postgres/connection.ts';
import { openSession } from '../../core/postgres/session.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startServer } from '../support/postgres.ts';

const good = makeCertificates('localhost');
const stranger = makeCertificates('localhost');
let server: EmbeddedServer;

beforeAll(async () => {
  server = await startServer({
    settings: ['ssl=on', 'ssl_cert_file=server.crt', 'ssl_key_file=server.key'],
    hba: [
      'hostssl all tls_only 127.0.0.1/32 trust',
      'hostnossl all plain_only 127.0.0.1/32 trust',
      'host all tls_only,plain_only,nobody_may 127.0.0.1/32 reject',
    ],
    prepare(folder, owner) {
      const files = { 'server.crt': good.certificate, 'server.key': good.key };
      for (const [name, text] of Object.entries(files)) {
        writeFileSync(join(folder, name), text, { mode: 0o600 });
        if (owner !== undefined) chownSync(join(folder, name), owner.uid, owner.gid);
      }
    },
  });
  await using admin = await openSession(server.settings(), {
    applicationName: 't',
    purpose: 'control',
  });
  await admin.query(
    'CREATE ROLE tls_only LOGIN; CREATE ROLE plain_only LOGIN; CREATE ROLE nobody_may LOGIN',
  );
});
afterAll(() => server?.stop());

/** `tls`, `plain`, or the name of the error. */
async function outcome(
  sslMode: SslMode,
  change: Partial<ConnectionSettings> = {},
): Promise<string> {
  const settings = { ...server.settings(), sslMode, ...change };
  try {
    await using session = await openSession(settings, { applicationName: 't', purpose: 'control' });
    const [row] = await session.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return row?.ssl === true ? 'tls' : 'plain';
  } catch (error) {
    return (error as Error).name;
  }
}

test.each<[SslMode, string]>([
  ['disable', 'plain'],
  ['allow', 'plain'],
  ['prefer', 'tls'],
  ['require', 'tls'],
])('sslmode %s gives a connection that is %s', async (mode, expected) => {
  expect(await outcome(mode)).toBe(expected);
});

test.each<[SslMode, string, string]>([
  ['disable', 'tls_only', 'TlsError'],
  ['allow', 'tls_only', 'tls'],
  ['prefer', 'plain_only', 'plain'],
  ['require', 'plain_only', 'TlsError'],
  ['prefer', 'nobody_may', 'AuthenticationFailedError'],
])('sslmode %s as %s is %s', async (mode, user, expected) => {
  expect(await outcome(mode, { user })).toBe(expected);
});

test.each<[SslMode, string, string | undefined, string]>([
  ['require', '127.0.0.1', stranger.root, 'TlsError'],
  ['require', '127.0.0.1', good.root, 'tls'],
  ['verify-ca', '127.0.0.1', good.root, 'tls'],
  ['verify-ca', '127.0.0.1', stranger.root, 'TlsError'],
  ['verify-full', '127.0.0.1', good.root, 'TlsError'],
  ['verify-full', 'localhost', good.root, 'tls'],
  ['verify-full', 'localhost', stranger.root, 'TlsError'],
  ['verify-full', 'localhost', undefined, 'TlsError'],
])('sslmode %s to %s checks the certificate', async (mode, host, ca, expected) => {
  expect(await outcome(mode, { host, tls: ca === undefined ? {} : { ca } })).toBe(expected);
});

test('a certificate that is not for this host is named in the message', async () => {
  const settings: ConnectionSettings = {
    ...server.settings(),
    sslMode: 'verify-full',
    tls: { ca: good.root },
  };
  await expect(
    openSession(settings, { applicationName: 't', purpose: 'control' }),
  ).rejects.toMatchObject({
    name: 'TlsError',
    message: expect.stringMatching(/127\.0\.0\.1.*altnames/),
  });
});
