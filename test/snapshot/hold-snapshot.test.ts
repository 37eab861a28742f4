/** One snapshot held by two sessions that nobody is connected to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSession } from '../../core/postgres/session.ts';
import { endHolders } from '../../core/snapshot/end-holders.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { readSnapshot } from '../../core/snapshot/marks.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { holdersOf, sampleRun, sessionsOf, shortRounds, waitUntil } from './support.ts';

const folder = temporaryFolders();
const worker = { applicationName: 'holdfast-test/worker', purpose: 'worker' } as const;

test('a session that imports the snapshot sees the rows of its instant, however many were written since', async () => {
  await using database = await testDatabase('hold');
  await database.query(
    'CREATE TABLE account (id int); INSERT INTO account SELECT generate_series(1, 10)',
  );
  const run = await sampleRun(await folder(), database.settings);
  const from = Date.now();
  const output = await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  expect(output).toMatchObject({ tables: 1, holders: 2 });
  expect(Date.parse(output.instant)).toBeGreaterThanOrEqual(from);
  expect(Date.parse(output.instant)).toBeLessThanOrEqual(Date.now());
  await database.query('DELETE FROM account WHERE id > 3');

  const record = await readSnapshot(run.deps.workspace, run.runId);
  expect(record.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  await using session = await openSession(database.settings, worker);
  const { snapshot } = await importSnapshot(session, record);
  expect(await session.query('SELECT count(*) FROM public.account')).toEqual([{ count: '10' }]);

  // pg_dump takes the exported name, in a session of its own.
  await using another = await openSession(database.settings, worker);
  await another.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await another.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`);
  expect(await another.query('SELECT count(*) FROM public.account')).toEqual([{ count: '10' }]);
  await endHolders(run.deps, run.runId);
});

test('holders leave by themselves when nobody works on the run, and stay as long as one worker does', async () => {
  await using database = await testDatabase('hold');
  await database.query('CREATE TABLE account (id int)');
  const run = await sampleRun(await folder(), database.settings, {
    options: { holdRoundSeconds: 2 },
  });
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  const record = await readSnapshot(run.deps.workspace, run.runId);
  const session = await openSession(database.settings, worker);
  await importSnapshot(session, record);
  // More than three rounds.
  await sleep(7_000);
  expect(await holdersOf(database, run.runId)).toBe(2);

  const closing = Date.now();
  await session.close();
  await waitUntil('the holders leave', async () => (await holdersOf(database, run.runId)) === 0);
  // Three rounds of 2 s running, the first of which had begun already.
  expect(Date.now() - closing).toBeGreaterThan(3_900);
});

test('a worker that holds the lock without end does not keep holders beyond their deadline', async () => {
  await using database = await testDatabase('hold');
  const run = await sampleRun(await folder(), database.settings, {
    options: { holdRoundSeconds: 1, holdDeadlineSeconds: 6 },
  });
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  await using session = await openSession(database.settings, worker);
  await importSnapshot(session, await readSnapshot(run.deps.workspace, run.runId));
  await waitUntil('the holders leave', async () => (await holdersOf(database, run.runId)) === 0);
});

test('kill -9 of the process that made holders and worked: holders go within seconds, and so do all locks', async () => {
  await using database = await testDatabase('hold');
  await database.query('CREATE TABLE account (id int)');
  const workspace = await folder();
  const run = await sampleRun(workspace, database.settings, shortRounds);
  const connection = { ...database.settings, password: await database.settings.password() };
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'hold-and-work.ts'),
      JSON.stringify({ folder: workspace, runId: run.runId, connection }),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  const names = async () => (await sessionsOf(database, run.runId)).map(({ what }) => what);
  const ofAll = ['holder-1', 'holder-2', 'unit-0'];
  // That which made them may still be closing.
  await expect.poll(names, { timeout: 30_000 }).toEqual(ofAll);
  await sleep(4_000);
  expect(await holdersOf(database, run.runId)).toBe(2);

  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitUntil(
    'all sessions leave',
    async () => (await sessionsOf(database, run.runId)).length === 0,
  );
  await database.query(`SET lock_timeout = '10s'`);
  await database.query('TRUNCATE account');
});

test('holding again ends the holders of the earlier attempt, and the new snapshot is newer', async () => {
  await using database = await testDatabase('hold');
  await database.query('CREATE TABLE account (id int)');
  const run = await sampleRun(await folder(), database.settings);
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  const first = await sessionsOf(database, run.runId);
  await database.query('INSERT INTO account VALUES (1)');
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 2 });
  const second = await sessionsOf(database, run.runId);
  expect(second).toHaveLength(2);
  expect(second.map(({ pid }) => pid)).not.toEqual(expect.arrayContaining([first[0]?.pid]));
  await using session = await openSession(database.settings, worker);
  await importSnapshot(session, await readSnapshot(run.deps.workspace, run.runId));
  expect(await session.query('SELECT count(*) FROM public.account')).toEqual([{ count: '1' }]);
  await endHolders(run.deps, run.runId);
});

test("another transaction's snapshot is refused although it bears an exported name of the record", async () => {
  await using database = await testDatabase('hold');
  await database.query('CREATE TABLE account (id int)');
  const run = await sampleRun(await folder(), database.settings);
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  const record = await readSnapshot(run.deps.workspace, run.runId);
  await database.query('INSERT INTO account VALUES (1)');
  await database.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const [other] = await database.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
  const holders = record.holders.map((holder) => ({ ...holder, snapshot: other?.name ?? '' }));
  await using session = await openSession(database.settings, worker);
  await expect(importSnapshot(session, { ...record, holders })).rejects.toMatchObject({
    name: 'SnapshotLostError',
  });
  await database.query('COMMIT');
  await endHolders(run.deps, run.runId);
});

test('an empty database can be held', async () => {
  await using database = await testDatabase('hold');
  const run = await sampleRun(await folder(), database.settings);
  expect(await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 })).toMatchObject({
    tables: 0,
    holders: 2,
  });
  expect(await endHolders(run.deps, run.runId)).toEqual({ ended: 2 });
});
