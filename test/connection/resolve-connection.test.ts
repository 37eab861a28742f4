import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import {
  describe as describeSettings,
  type ResolveInput,
  resolveConnection,
} from '../../local/connection/resolve-connection.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const temporaryFolder = temporaryFolders();
const resolve = (input: Partial<ResolveInput>) =>
  resolveConnection({ env: {}, home: '/nonexistent', ...input });

test('--database goes before DATABASE_URL, which goes before PG* variables, which fill in what is missing', () => {
  const env = {
    DATABASE_URL: 'postgresql://from-url-variable/b',
    PGHOST: 'from-pghost',
    PGUSER: 'pguser',
    PGPORT: '6000',
    PGSSLMODE: 'require',
    PGCONNECT_TIMEOUT: '3',
  };
  expect(resolve({ url: 'postgresql://from-option/a', env })).toMatchObject({
    host: 'from-option',
    database: 'a',
  });
  expect(resolve({ env })).toMatchObject({
    host: 'from-url-variable',
    database: 'b',
    user: 'pguser',
    port: 6000,
    sslMode: 'require',
    connectTimeoutMs: 3000,
  });
  const { DATABASE_URL: _, ...pgOnly } = env;
  expect(resolve({ env: pgOnly })).toMatchObject({ host: 'from-pghost', database: 'pguser' });
});

test('defaults are those of libpq, but for a time limit', () => {
  expect(resolve({ url: 'postgresql://me@db' })).toMatchObject({
    host: 'db',
    port: 5432,
    user: 'me',
    database: 'me',
    sslMode: 'prefer',
    tls: {},
    connectTimeoutMs: 10_000,
  });
});

test('the description of settings has no secret', () => {
  const settings = resolve({ url: 'postgresql://me:hush@[::1]:5433/shop' });
  expect(describeSettings(settings)).toBe('me@[::1]:5433/shop');
  expect(JSON.stringify(settings)).not.toContain('hush');
});

test.each<[string, Partial<ResolveInput>, string, RegExp]>([
  ['no database at all', {}, 'UsageError', /No database was named/],
  [
    'an unknown parameter',
    { url: 'postgresql://me:hush@db/x?pgbouncer=true' },
    'UsageError',
    /"pgbouncer"/,
  ],
  ['an unknown keyword', { url: 'host=db password=hush colour=red' }, 'UsageError', /"colour"/],
  [
    'a port out of range',
    { url: 'postgresql://me:hush@db:70000/x' },
    'UsageError',
    /port is 70000; allowed is 1 to 65535/,
  ],
  [
    'a port that is a word',
    { url: 'postgresql://me:hush@db:hush/x' },
    'UsageError',
    /not a whole number/,
  ],
  [
    'an unknown sslmode',
    { url: 'postgresql://me:hush@db/x?sslmode=on' },
    'UsageError',
    /"on".*verify-full/,
  ],
  ['several hosts', { url: 'postgresql://me:hush@a,b/x' }, 'UsageError', /Several hosts/],
  ['a service file', { env: { PGSERVICE: 's', PGPASSWORD: 'hush' } }, 'UsageError', /PGSERVICE/],
  [
    'a root certificate that is not there',
    { url: 'postgresql://me:hush@db/x?sslmode=verify-full&sslrootcert=/no/root.pem' },
    'ConfigurationError',
    /\/no\/root\.pem.*ENOENT/,
  ],
  [
    'verify-ca without a root',
    { url: 'postgresql://me:hush@db/x?sslmode=verify-ca' },
    'ConfigurationError',
    /sslrootcert/,
  ],
])('%s is refused without telling the password', (_what, input, name, message) => {
  let error: unknown;
  try {
    resolve(input);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name, message: expect.stringMatching(message) });
  const { message: text, hint, evidence } = error as HoldfastError;
  expect(JSON.stringify([text, hint, evidence])).not.toContain('hush');
});

test('certificates are read from the files named and from ~/.postgresql', async () => {
  const home = await temporaryFolder();
  mkdirSync(join(home, '.postgresql'));
  writeFileSync(join(home, '.postgresql', 'root.crt'), 'the root');
  writeFileSync(join(home, 'client.crt'), 'the certificate');
  writeFileSync(join(home, 'client.key'), 'the key', { mode: 0o600 });
  const url = `postgresql://db/x?sslmode=verify-full&sslcert=${home}/client.crt&sslkey=${home}/client.key`;
  expect(resolve({ url, home }).tls).toEqual({
    ca: 'the root',
    cert: 'the certificate',
    key: 'the key',
  });
  chmodSync(join(home, 'client.key'), 0o644);
  expect(() => resolve({ url, home })).toThrow(/mode 644; allowed is 600/);
});

test('a client certificate without a key that can be read is refused', async () => {
  const home = await temporaryFolder();
  writeFileSync(join(home, 'client.crt'), 'the certificate');
  expect(() => resolve({ url: `postgresql://db/x?sslcert=${home}/client.crt`, home })).toThrow(
    /sslkey/,
  );
});

const passFile = String.raw`# a comment
db:5432:other:me:wrong
db:*:shop:me:se\:c\\ret:with:colons
localhost:5432:*:me:by-socket
*:*:*:*:fallback
`;

test.each([
  ['postgresql://me@db/shop', 'se:c\\ret:with:colons'],
  ['postgresql://me@db:6000/shop', 'se:c\\ret:with:colons'],
  ['postgresql://me@%2Frun/x', 'by-socket'],
  ['postgresql://you@elsewhere/x', 'fallback'],
  ['postgresql://me:in-url@db/shop', 'in-url'],
])('the password of %s is found', async (url, expected) => {
  const home = await temporaryFolder();
  writeFileSync(join(home, '.pgpass'), passFile, { mode: 0o600 });
  expect(await resolve({ url, home }).password()).toBe(expected);
});

test('PGPASSWORD goes before the file, and PGPASSFILE names another file', async () => {
  const home = await temporaryFolder();
  writeFileSync(join(home, 'mine'), '*:*:*:*:from-file', { mode: 0o600 });
  const env = { PGHOST: 'db', PGUSER: 'me', PGPASSFILE: join(home, 'mine') };
  expect(await resolve({ env }).password()).toBe('from-file');
  expect(await resolve({ env: { ...env, PGPASSWORD: 'from-env' } }).password()).toBe('from-env');
});

test('a .pgpass that others can read is not used, and a warning says so without the password', async () => {
  const home = await temporaryFolder();
  writeFileSync(join(home, '.pgpass'), '*:*:*:*:hush');
  chmodSync(join(home, '.pgpass'), 0o640);
  const warnings: string[] = [];
  const settings = resolve({
    url: 'postgresql://me@db/x',
    home,
    warn: (message) => warnings.push(message),
  });
  expect(await settings.password()).toBeUndefined();
  expect(warnings).toEqual([expect.stringMatching(/\.pgpass.*mode 0640.*chmod 600/)]);
  expect(warnings.join()).not.toContain('hush');
});
