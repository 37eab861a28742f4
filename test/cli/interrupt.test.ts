import { expect, test, vi } from 'vitest';
import type { Outcome } from '../../core/contract/catalogue.ts';
import { startCli } from '../support/cli.ts';
import { type CliVault, makeCliVault } from '../support/cli-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { stallingProxy } from '../support/stalling-proxy.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

// Three whole runs in a test, on a machine that runs other tests at the same time.
vi.setConfig({ testTimeout: 180_000 });

const folders = temporaryFolders();

/** As a terminal does it: the signal goes to every process of the group. */
const pressCtrlC = (pid: number | undefined) => process.kill(-(pid as number), 'SIGINT');

const sessionsOf = (database: TestDatabase) =>
  database.query<{ application_name: string }>(
    `SELECT application_name FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'holdfast/%'`,
  );

async function expectRecordedAndClean(made: CliVault, database: TestDatabase): Promise<void> {
  expect((await made.run(['list', '--json'])).json()).toEqual([]);
  const [failed] = (await made.run(['list', '--failed', '--json'])).json<Outcome[]>();
  expect(failed).toMatchObject({ state: 'failed', error: 'RunAbortedError' });
  // A backend needs a moment to notice that it was ended.
  await expect.poll(() => sessionsOf(database)).toEqual([]);
}

test('Ctrl-C in the middle of the rows: exit 1, a recorded failed run, no sessions and no locks, and the next run works', async () => {
  await using database = await testDatabase('cli_stop');
  await database.client.query(
    `CREATE TABLE big AS SELECT i, repeat(md5(i::text), 30) AS filler FROM generate_series(1, 30000) i`,
  );
  // 30 MB, of which 4 come: it is in the middle until it is ended.
  await using proxy = await stallingProxy(database.settings.port, 4 << 20);
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const made = await makeCliVault(await folders());
  const args = ['backup', '--database', url.href, '--jobs', '1', '--json'];
  const running = startCli(args, { env: made.env, cwd: made.folder, isGroup: true });
  await running.sawOnStderr(/dumping rows/);
  pressCtrlC(running.child.pid);
  const result = await running.result;
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({ error: { name: 'RunAbortedError' } });
  expect(result.stderr).toMatch(/SIGINT: ending the run/);
  await expectRecordedAndClean(made, database);
  await database.client.query('TRUNCATE big');
  expect((await made.run(args)).code).toBe(0);
});

test('a second backup of the same source is refused while the first one runs, which Ctrl-C ends while it waits for a lock', async () => {
  await using database = await testDatabase('cli_lease');
  await database.client.query('CREATE TABLE locked (id int)');
  await database.client.query('BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE');
  const made = await makeCliVault(await folders());
  const args = ['backup', '--database', database.url, '--json'];
  const first = startCli(args, { env: made.env, cwd: made.folder, isGroup: true });
  await first.sawOnStderr(/taking the snapshot/);
  const second = await made.run(args);
  expect(second.code).toBe(1);
  expect(second.json()).toMatchObject({ error: { name: 'LeaseHeldError' } });
  pressCtrlC(first.child.pid);
  expect((await first.result).code).toBe(1);
  await database.client.query('ROLLBACK');
  await expectRecordedAndClean(made, database);
});
