import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import { type RestoreReport, restoreReportSchema } from '../../core/contract/restore.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const folders = temporaryFolders();
let database: TestDatabase;
let made: CliVault;
let backup: BackupReport;
let server: string;
let admin: pg.Client;
const restored = new Set<string>();

beforeAll(async () => {
  database = await testDatabase('cli_restore');
  await database.query(`
    CREATE TABLE public.orders (id int PRIMARY KEY, what text);
    INSERT INTO public.orders SELECT i, 'order ' || i FROM generate_series(1, 3000) i;
    CREATE TABLE public.clients (id int PRIMARY KEY);`);
  server = database.url.replace(/\/[^/]*$/, '');
  admin = new pg.Client({ connectionString: `${server}/postgres` });
  await admin.connect();
  made = await makeCliVault(await folders());
  const taken = await made.run(['backup', '--database', database.url, '--json']);
  expect(taken.code, taken.stderr).toBe(0);
  backup = taken.json<BackupReport>();
});
afterAll(async () => {
  for (const name of restored) await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await admin.end();
  await database.drop();
});

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  made.run(args, { env: { RESTORE_DATABASE_URL: server, ...env } });

const nameOf = (suffix: string): string => {
  const name = `${database.name}_${suffix}`;
  restored.add(name);
  return name;
};

const rowsOf = async (name: string): Promise<number> => {
  const client = new pg.Client({ connectionString: `${server}/${name}` });
  await client.connect();
  try {
    return (await client.query('SELECT count(*)::int AS n FROM public.orders')).rows[0].n;
  } finally {
    await client.end();
  }
};

const databases = async (): Promise<string[]> => {
  const { rows } = await admin.query('SELECT datname FROM pg_database WHERE datname LIKE $1', [
    `${database.name}%`,
  ]);
  return rows.map(({ datname }) => datname as string).sort();
};

describe('into a new database', () => {
  test('--json is the report, and stderr has the list of the preflight and the progress', async () => {
    const name = nameOf('copy');
    const result = await run(['restore', '--name', name, '--rto', '4h', '--rpo', '24h', '--json']);
    expect(result.code, result.stderr).toBe(0);
    const report = restoreReportSchema.parse(result.json());
    expect(report).toMatchObject({
      kind: 'restore',
      state: 'succeeded',
      verdict: 'identical',
      backupId: backup.backupId,
      database: name,
      mode: 'new',
      tables: 2,
      rows: 3000,
      differences: [],
      objectives: { rtoSeconds: 14_400, rpoSeconds: 86_400 },
    });
    expect(report.rtoMs).toBeGreaterThan(0);
    expect(report.readBytes).toBeGreaterThan(0);
    expect(Object.keys(report.phases)).toEqual(
      expect.arrayContaining(['load', 'build', 'compare']),
    );
    expect(existsSync(report.page ?? '')).toBe(true);
    expect(result.stderr).toMatch(/^ok {7}server-version: /m);
    expect(result.stderr).toMatch(/^loading rows/m);
    expect(await rowsOf(name)).toBe(3000);
    const again = await run(['restore', '--name', name]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/FAILED {3}name-free: [\s\S]*--mode swap/);
    expect(again.stderr).toMatch(/Report: .*report\.html/);
  });

  test('a URL that names a database that is not there yet means that one', async () => {
    const name = nameOf('of_url');
    const result = await run([
      'restore',
      backup.backupId.slice(0, -2),
      '--target',
      `${server}/${name}`,
    ]);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(
      /Restored .* into database .*_of_url"[\s\S]*identical[\s\S]*Next: /,
    );
    expect(await rowsOf(name)).toBe(3000);
  });

  test('a check of your own that fails leaves nothing, and a report', async () => {
    const before = await databases();
    const result = await run([
      'restore',
      '--check',
      'has clients=SELECT count(*) > 0 FROM public.clients',
      '--json',
    ]);
    expect(result.code).toBe(1);
    const { error } = result.json<{ error: { name: string; runId: string; report: string } }>();
    expect(error.name, result.stderr).toBe('CheckFailedError');
    expect(existsSync(error.report)).toBe(true);
    expect(await databases()).toEqual(before);
  });
});

describe('a dry run', () => {
  test('says that it can work, and touches nothing', async () => {
    const before = await databases();
    const result = await run(['restore', '--dry-run']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/^ok {7}server-reachable[\s\S]*can be restored/m);
    expect(result.stdout).toMatch(/time: It takes about/);
    const json = await run(['restore', '--dry-run', '--json']);
    expect(restoreReportSchema.parse(json.json())).toMatchObject({
      kind: 'dry-run',
      state: 'checked',
      verdict: 'not-compared',
    });
    expect(await databases()).toEqual(before);
  });

  test('that finds something wrong ends with exit code 1 and the whole list', async () => {
    const result = await run([
      'restore',
      '--dry-run',
      '--name',
      database.name,
      '--jobs',
      '64',
      '--json',
    ]);
    expect(result.code).toBe(1);
    const { preflight } = result.json<RestoreReport>();
    const failed = preflight.filter(({ verdict }) => verdict === 'failed');
    expect(failed.map(({ check }) => check)).toContain('name-free');
    expect(failed.every(({ hint }) => (hint?.length ?? 0) > 10)).toBe(true);
  });
});

describe('in the place of a database', () => {
  test('is refused without --yes where nobody can be asked, before anything is done', async () => {
    const before = await databases();
    const result = await run(['restore', '--mode', 'swap', '--target', database.url]);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(new RegExp(`Replace database .*${database.name}[\\s\\S]*--yes`));
    const into = ['restore', '--mode', 'into', '--table', 'orders', '--on-conflict', 'replace'];
    expect((await run([...into, '--target', database.url])).code).toBe(2);
    expect(await databases()).toEqual(before);
  });

  test('with --yes: replaced, kept aside, rolled back, and what was kept dropped', async () => {
    const name = nameOf('live');
    await run(['restore', '--name', name]);
    const client = new pg.Client({ connectionString: `${server}/${name}` });
    await client.connect();
    await client.query('DELETE FROM public.orders');
    await client.end();
    const result = await run([
      'restore',
      backup.backupId,
      '--mode',
      'swap',
      '--name',
      name,
      '--yes',
    ]);
    expect(result.code, result.stderr).toBe(0);
    expect(await rowsOf(name)).toBe(3000);
    const [, runId = ''] = /holdfast rollback (\S+)/.exec(result.stdout) ?? [];
    const kept = (await databases()).find((one) => one.startsWith(`${name}_before_`)) ?? '';
    restored.add(kept);
    expect(result.stdout).toContain(kept);

    const refused = await run(['rollback', runId]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    const back = await run(['rollback', runId.slice(0, -3), '--yes', '--json']);
    expect(back.code, back.stderr).toBe(0);
    const { putAside } = back.json<{ putAside: string }>();
    restored.add(putAside);
    expect(back.json()).toMatchObject({ runId, database: name, restored: kept });
    expect(await rowsOf(name)).toBe(0);
    // A safety backup was taken of it, and is not what "latest" means.
    const dry = await run(['restore', '--source', backup.source.name, '--dry-run', '--json']);
    expect(dry.json<RestoreReport>().backupId).toBe(backup.backupId);

    const gone = await run(['rollback', runId, '--discard', '--yes']);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain('RollbackImpossibleError');
  });
});

describe('some tables into a database that exists', () => {
  test('a table that was dropped comes back; one that is beside it can be looked at', async () => {
    const name = nameOf('partial');
    expect((await run(['restore', '--name', name])).code).toBe(0);
    const client = new pg.Client({ connectionString: `${server}/${name}` });
    await client.connect();
    await client.query('DROP TABLE public.orders');
    await client.end();
    const into = [
      'restore',
      '--mode',
      'into',
      '--target',
      `${server}/${name}`,
      '--table',
      'orders',
    ];
    const result = await run([...into, '--json']);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ mode: 'into', database: name, rows: 3000 });
    expect(await rowsOf(name)).toBe(3000);
    const conflict = await run([...into, '--json']);
    expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringContaining('--on-conflict')]);
    const beside = await run([...into, '--as', 'orders_then']);
    expect(beside.code, beside.stderr).toBe(0);
    expect(beside.stdout).toMatch(/^ {4}new table public\.orders_then: 3,000 rows written$/m);
  });
});
