import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const folders = temporaryFolders();
let database: TestDatabase;
let made: CliVault;

beforeAll(async () => {
  database = await testDatabase('cli_guard');
  await database.query(`
    CREATE TABLE public.orders (id int PRIMARY KEY);
    INSERT INTO public.orders SELECT generate_series(1, 500)`);
  // Its session would be one that is in the way of the swap.
  await database.client.end();
  made = await makeCliVault(await folders());
});
afterAll(async () => {
  const others = await admin<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname LIKE '${database.name}_%'`,
    'postgres',
  );
  for (const { datname } of others)
    await admin(`DROP DATABASE "${datname}" WITH (FORCE)`, 'postgres');
  await database.drop();
});

async function admin<T>(sql: string, name = database.name): Promise<T[]> {
  const connectionString = database.url.replace(/[^/]*$/, name);
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

const orders = async () =>
  (await admin<{ n: number }>('SELECT count(*)::int AS n FROM orders'))[0]?.n;

/** A migration: SQL by this very Node, then an exit code. */
const migration = (sql: string, code: number): string[] => [
  process.execPath,
  '--input-type=module',
  '-e',
  `import pg from '${import.meta.resolve('pg')}';
   const client = new pg.Client({ connectionString: process.env.LIVE });
   await client.connect();
   await client.query(${JSON.stringify(sql)});
   await client.end();
   console.log('migrated after ' + process.env.HOLDFAST_BACKUP_ID);
   process.exit(${code});`,
];

const guard = (command: readonly string[], ...options: string[]) =>
  made.run(['guard', '--db', database.url, ...options, '--', ...command], {
    env: { LIVE: database.url },
  });

test('without --yes where nobody can be asked, nothing is run', async () => {
  const result = await guard(migration('DELETE FROM orders', 0));
  expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  expect(await orders()).toBe(500);
});

test('a command that could not be taken back is not run: the role may make no database', async () => {
  const role = `${database.name}_owner`;
  await admin(`CREATE ROLE ${role} LOGIN PASSWORD 'guarded'; GRANT pg_read_all_data TO ${role};
    GRANT DELETE ON orders TO ${role}`);
  try {
    const url = database.url.replace(/\/\/[^@]*@/, `//${role}:guarded@`);
    const result = await made.run(
      ['guard', '--db', url, '--yes', '--', ...migration('DELETE FROM orders', 1)],
      { env: { LIVE: url } },
    );
    expect([result.code, result.stderr]).toEqual([
      1,
      expect.stringMatching(/was not run.*could not be taken back[\s\S]*create/),
    ]);
    expect(result.stderr).not.toContain('guarded@');
    expect(await orders()).toBe(500);
  } finally {
    await admin(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('a command that ends well: its output, its effect, a safety backup and no restore', async () => {
  const result = await guard(migration('DELETE FROM orders WHERE id > 400', 0), '--yes');
  expect(result.code, result.stderr).toBe(0);
  expect(await orders()).toBe(400);
  const [entry] = (await made.run(['list', '--json'])).json<{ backupId: string; tier: string }[]>();
  expect(entry?.tier).toBe('safety');
  expect(result.stdout).toContain(`migrated after ${entry?.backupId}`);
  expect(result.stdout).toContain('The command ended well.');
});

test('a command that fails: the database as it was, what it left kept aside, its exit code', async () => {
  const before = await orders();
  const result = await guard(migration('DROP TABLE orders', 42), '--yes', '--json');
  expect(result.code, result.stderr).toBe(42);
  expect(await orders()).toBe(before);
  const { exitCode, backupId, restore, error } = result.json<{
    exitCode: number;
    backupId: string;
    restore: { verdict: string; backupId: string; previousDatabase: string };
    error: unknown;
  }>();
  expect({ exitCode, error }).toEqual({ exitCode: 42, error: null });
  expect(restore).toMatchObject({ verdict: 'identical', backupId });
  expect(result.stderr).toContain('migrated after');
  const kept = `SELECT datallowconn AS open FROM pg_database WHERE datname = '${restore.previousDatabase}'`;
  expect(await admin(kept)).toEqual([{ open: false }]);
});

test('a command that is not there changes nothing and restores nothing', async () => {
  const result = await guard(['no-such-command-anywhere'], '--yes');
  expect([result.code, result.stderr]).toEqual([127, expect.stringContaining('no such command')]);
  expect(result.stderr).not.toContain('restoring');
});
