import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const folders = temporaryFolders();
const role = `cli_reader_${process.pid}`;
const secret = 'Hunter2-s3cret';

let database: TestDatabase;
let made: CliVault;

beforeAll(async () => {
  database = await testDatabase('cli_bad');
  await database.client.query(`
    CREATE TABLE public.open (id int);
    CREATE TABLE public.hidden (id int);
    CREATE ROLE ${role} LOGIN PASSWORD '${secret}';
    GRANT SELECT ON public.open TO ${role};`);
  made = await makeCliVault(await folders());
});
afterAll(async () => {
  await database.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role};`);
  await database.drop();
});

const backup = (url: string, ...more: string[]): Promise<CliResult> =>
  made.run(['backup', '--database', url, '--json', ...more]);

const asReader = (password = secret): string => {
  const url = new URL(database.url);
  url.username = role;
  url.password = password;
  return url.href;
};

/** Nothing that looks like a good backup, what to do is said, and no secret is anywhere. */
async function expectRefusal(result: CliResult, name: string, said: RegExp): Promise<void> {
  const { error } = result.json<{ error: { name: string; message: string; hint: string } }>();
  expect(error.name, result.stderr).toBe(name);
  expect(`${error.message}\n${error.hint}`).toMatch(said);
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain('What to do:');
  const told =
    result.stdout + result.stderr + (await made.run(['list', '--failed', '--json'])).stdout;
  expect(told).not.toContain(secret);
  expect(told).not.toContain('wr0ng-pass');
  expect(told).not.toContain(new URL(database.url).password);
  expect((await made.run(['list', '--json'])).json()).toEqual([]);
}

test('a wrong password', async () => {
  const result = await backup(asReader('wr0ng-pass'));
  await expectRefusal(result, 'AuthenticationFailedError', /user.*password/i);
  expect(result.code).toBe(1);
});

test('a host that is not there', async () => {
  const result = await backup(`postgresql://u:${secret}@127.0.0.1:1/shop`);
  await expectRefusal(result, 'SourceUnreachableError', /127\.0\.0\.1:1/);
});

test('a database that the server does not have', async () => {
  const url = database.url.replace(database.name, 'no_such_database');
  await expectRefusal(await backup(url), 'DatabaseNotFoundError', /no_such_database/);
});

test('a connection string that cannot be read does not repeat its password', async () => {
  const result = await backup(`postgresql://u:${secret}@host:port/db`);
  await expectRefusal(result, 'UsageError', /port/);
  expect(result.code).toBe(2);
});

test('a server without TLS when TLS is required', async () => {
  await expectRefusal(await backup(`${database.url}?sslmode=require`), 'TlsError', /sslmode/);
});

test('a right missing on one table names the table', async () => {
  await expectRefusal(await backup(asReader()), 'PermissionDeniedError', /hidden/);
});

test('row security that would hide rows names the table', async () => {
  await database.client.query(`
    GRANT SELECT ON public.hidden TO ${role};
    ALTER TABLE public.hidden ENABLE ROW LEVEL SECURITY;
    CREATE POLICY above_one ON public.hidden USING (id > 1);`);
  await expectRefusal(await backup(asReader()), 'RowSecurityError', /hidden/);
});

test('a pattern that matches nothing is wrong use', async () => {
  const result = await backup(database.url, '--table', 'no_such_*');
  await expectRefusal(result, 'PatternMatchesNothingError', /no_such_/);
  expect(result.code).toBe(2);
});

test('a folder that is no vault', async () => {
  const folder = await folders();
  const result = await backup(database.url, '--vault', folder);
  await expectRefusal(result, 'VaultNotFoundError', /holdfast init --vault/);
});

/** Root may write anything; without these capabilities it may do what the owner of a file may. */
const asOwner =
  process.getuid?.() === 0
    ? { startedBy: ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] }
    : {};

test('a vault that may not be written', async () => {
  const other = await makeCliVault(await folders());
  await chmod(other.vault, 0o500);
  const result = await other.run(['backup', '--database', database.url, '--json'], asOwner);
  await chmod(other.vault, 0o700);
  await expectRefusal(result, 'VaultAccessDeniedError', /rights/);
});

test('a vault path below a file', async () => {
  const folder = await folders();
  await mkdir(join(folder, 'x'));
  const result = await backup(database.url, '--vault', join(made.keyFile, 'vault'));
  await expectRefusal(result, 'VaultNotFoundError', /vault/);
});
