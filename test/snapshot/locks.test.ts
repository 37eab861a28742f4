/** What the held snapshot keeps away, whom it waits for, and who waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { openSession } from '../../core/postgres/session.ts';
import { markAborted } from '../../core/run/abort-mark.ts';
import { failureOf } from '../../core/run/failure.ts';
import { endHolders } from '../../core/snapshot/end-holders.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { readRun, readSnapshot } from '../../core/snapshot/marks.ts';
import { watchSnapshot } from '../../core/snapshot/watch-snapshot.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { holdersOf, sampleRun, waitUntil } from './support.ts';

const folder = temporaryFolders();

/** A second connection, which may wait. */
async function another(database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A statement that waits, with its outcome as a value: nobody awaits it for a while. */
async function waiting(database: TestDatabase, sql: string) {
  const client = await another(database);
  const [row] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  const outcome = client.query(sql).then(
    () => 'done',
    (error: Error) => error.message,
  );
  await waitUntil('it waits', async () => {
    const locks = await database.query('SELECT FROM pg_locks WHERE pid = $1 AND NOT granted', [
      row?.pid,
    ]);
    return locks.length > 0;
  });
  return { pid: row?.pid, outcome, end: () => client.end() };
}

/** As if the run had been planned with this. */
async function allowBlockedDdl(deps: Deps, runId: string, blockedDdlSeconds: number) {
  const run = await readRun(deps.workspace, runId);
  const options = { ...run.input.options, blockedDdlSeconds };
  const changed = { ...run, input: { ...run.input, options } };
  await putJson(deps.workspace, workspaceKeys.run(runId), changed);
}

async function tables(options: object = {}) {
  const database = await testDatabase('locks');
  await database.query(`CREATE TABLE account (id int); INSERT INTO account VALUES (1);
    CREATE TABLE part (id int) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);`);
  return { database, ...(await sampleRun(await folder(), database.settings, options)) };
}

test('TRUNCATE, DROP and rewriting ALTER are held off, of partitions too; writing goes on', async () => {
  const { database, deps, runId } = await tables();
  await holdSnapshot(deps, { runId, attempt: 1 });
  await database.query(`SET lock_timeout = '200ms'`);
  for (const sql of [
    'TRUNCATE account',
    'DROP TABLE account',
    'ALTER TABLE account ALTER COLUMN id TYPE bigint',
    'ALTER TABLE account RENAME TO konto',
    'VACUUM FULL account',
    'DROP TABLE part_1',
    'ALTER TABLE part DETACH PARTITION part_1',
    'DROP SCHEMA public CASCADE',
  ]) {
    await expect(database.query(sql), sql).rejects.toThrow(/lock timeout/);
  }
  await database.query('INSERT INTO account VALUES (2); UPDATE account SET id = 3');
  await database.query('VACUUM account');
  await endHolders(deps, runId);
  await database.query('TRUNCATE account');
  await database.drop();
});

test('a table that is locked by somebody else: the error names process, user and query, nothing is held', async () => {
  const { database, deps, runId } = await tables({ options: { lockSeconds: 4 } });
  const other = await another(database);
  await other.query('BEGIN; LOCK TABLE part_1 IN ACCESS EXCLUSIVE MODE');
  const [row] = (await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  // The lock is never given free: it gives up, and who has it was seen some time in the 4 s.
  await expect(holdSnapshot(deps, { runId, attempt: 1 })).rejects.toMatchObject({
    name: 'LockNotAvailableError',
    message: expect.stringMatching(
      new RegExp(`4 s: behind process ${row?.pid} of postgres \\(SELECT`),
    ),
    evidence: { blockers: [{ pid: row?.pid, user: 'postgres' }] },
  });
  expect(await holdersOf(database, runId)).toBe(0);
  await other.end();
  await database.drop();
});

test('a run that is aborted while it waits for a table waits no longer', async () => {
  const { database, deps, runId } = await tables({ options: { lockSeconds: 3_600 } });
  const other = await another(database);
  await other.query('BEGIN; LOCK TABLE account IN ACCESS EXCLUSIVE MODE');
  const holding = holdSnapshot(deps, { runId, attempt: 1 }).then(
    String,
    (error: Error) => error.name,
  );
  await waitUntil('a holder waits', async () => {
    const waits = await database.query(
      `SELECT FROM pg_stat_activity JOIN pg_locks USING (pid)
        WHERE starts_with(application_name, $1) AND NOT granted`,
      [`holdfast/${runId}`],
    );
    return waits.length > 0;
  });
  await markAborted(deps, runId, failureOf(new Error('interrupted')));
  expect(await holding).toBe('RunAbortedError');
  expect(await holdersOf(database, runId)).toBe(0);
  await other.end();
  await database.drop();
});

test('the time for locking counts for all tables together', async () => {
  const { database, deps, runId } = await tables({ options: { lockSeconds: 8 } });
  const others = [await another(database), await another(database)];
  await others[0]?.query('BEGIN; LOCK TABLE account IN ACCESS EXCLUSIVE MODE');
  await others[1]?.query('BEGIN; LOCK TABLE part_1 IN ACCESS EXCLUSIVE MODE');
  const holding = holdSnapshot(deps, { runId, attempt: 1 }).then(
    String,
    (error: Error) => error.name,
  );
  const startedAt = Date.now();
  await sleep(7_000);
  await others[0]?.query('ROLLBACK');
  expect(await holding).toBe('LockNotAvailableError');
  // Each lock for itself would have had until 15 s.
  expect(Date.now() - startedAt).toBeLessThan(14_000);
  for (const other of others) await other.end();
  await database.drop();
});

test('tables that change while their lock is waited for are listed and locked again', async () => {
  const { database, deps, runId } = await tables();
  const migration = await another(database);
  await migration.query(
    'BEGIN; ALTER TABLE account RENAME TO konto; CREATE TABLE fresh AS SELECT 7 AS id',
  );
  const holding = holdSnapshot(deps, { runId, attempt: 1 });
  await waitUntil('the holder waits', async () => {
    const rows = await database.query(
      `SELECT FROM pg_locks WHERE NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows.length > 0;
  });
  await migration.query('COMMIT');
  expect(await holding).toMatchObject({ tables: 4, holders: 2 });
  await using session = await openSession(database.settings, {
    applicationName: 'x',
    purpose: 'worker',
  });
  await importSnapshot(session, await readSnapshot(deps.workspace, runId));
  expect(await session.query('SELECT id FROM public.fresh, public.konto AS k(n)')).toEqual([
    { id: 7 },
  ]);
  await expect(database.query(`SET lock_timeout = '200ms'; TRUNCATE fresh`)).rejects.toThrow(
    /lock timeout/,
  );
  await session.close();
  await endHolders(deps, runId);
  await migration.end();
  await database.drop();
});

test('blocked DDL, policy fail: the error names process, user and the beginning of the query', async () => {
  const { database, deps, runId } = await tables({
    options: { onBlockedDdl: 'fail', blockedDdlSeconds: 3_600 },
  });
  await holdSnapshot(deps, { runId, attempt: 1 });
  const ddl = await waiting(
    database,
    `ALTER TABLE account ADD COLUMN note text DEFAULT '${'x'.repeat(100)}'`,
  );
  expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: false });
  await sleep(400);
  await allowBlockedDdl(deps, runId, 0.3);
  await expect(watchSnapshot(deps, { runId })).rejects.toMatchObject({
    name: 'BlockedDdlError',
    message: expect.stringContaining(
      `process ${ddl.pid} of postgres (ALTER TABLE account ADD COLUMN note text`,
    ),
    evidence: {
      pid: ddl.pid,
      user: 'postgres',
      query: expect.not.stringContaining('x'.repeat(60)),
    },
  });
  await endHolders(deps, runId);
  expect(await ddl.outcome).toBe('done');
  await ddl.end();
  await database.drop();
});

test('blocked DDL, policy cancel-waiter: it is cancelled and told, and the snapshot goes on', async () => {
  const { database, deps, runId, messages } = await tables({
    options: { onBlockedDdl: 'cancel-waiter', blockedDdlSeconds: 0.3 },
  });
  await holdSnapshot(deps, { runId, attempt: 1 });
  const ddl = await waiting(database, 'TRUNCATE account');
  // It waits behind the DDL and not behind us: it must not be cancelled.
  const reader = await waiting(database, 'SELECT * FROM account');
  await sleep(400);
  expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: false, holders: 2 });
  expect(await ddl.outcome).toMatch(/canceling statement/);
  expect(await reader.outcome).toBe('done');
  expect(messages.map(({ message }) => message)).toEqual([
    expect.stringContaining(`process ${ddl.pid}`),
  ]);
  await ddl.end();
  await reader.end();
  await endHolders(deps, runId);
  await database.drop();
});

test('blocked DDL of a superuser, which our role may not cancel, is an error under policy cancel-waiter', async () => {
  const { database, deps, runId, settings } = await tables({
    options: { onBlockedDdl: 'cancel-waiter', blockedDdlSeconds: 0.3 },
  });
  const role = `dumper_${runId.replace('-', '_')}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p' IN ROLE pg_read_all_data`);
  const ours = {
    ...deps,
    connectionOf: async () => ({ ...settings, user: role, password: async () => 'p' }),
  };
  await holdSnapshot(ours, { runId, attempt: 1 });
  const ddl = await waiting(database, 'TRUNCATE account');
  await sleep(400);
  await expect(watchSnapshot(ours, { runId })).rejects.toMatchObject({
    name: 'BlockedDdlError',
    message: expect.stringContaining(`process ${ddl.pid} of postgres`),
  });
  expect(await endHolders(ours, runId)).toEqual({ ended: 2 });
  expect(await ddl.outcome).toBe('done');
  await ddl.end();
  await database.query(`DROP ROLE ${role}`);
  await database.drop();
});
