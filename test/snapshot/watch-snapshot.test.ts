/** One look at the snapshot: holders counted and replaced, the end of the run seen, nothing mixed. */
import { expect, test } from 'vitest';
import { openSession } from '../../core/postgres/session.ts';
import { abortDump } from '../../core/snapshot/abort-dump.ts';
import { endHolders } from '../../core/snapshot/end-holders.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { readSnapshot, throwIfAborted } from '../../core/snapshot/marks.ts';
import { releaseSnapshot } from '../../core/snapshot/release-snapshot.ts';
import { watchSnapshot } from '../../core/snapshot/watch-snapshot.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { endSession, holdersOf, sampleRun, sessionsOf, shortRounds, waitUntil } from './support.ts';

const folder = temporaryFolders();
const worker = { applicationName: 'holdfast-test/worker', purpose: 'worker' } as const;

async function heldRun(options: object = {}) {
  const database = await testDatabase('watch');
  await database.query(`CREATE TABLE account (id int); INSERT INTO account VALUES (1);
    CREATE TABLE "o""dd
 ta😀ble" (id int)`);
  const run = await sampleRun(await folder(), database.settings, options);
  const { instant } = await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  await database.query('INSERT INTO account VALUES (2)');
  /** So many seconds after the instant of the snapshot, whatever the time is. */
  const after = (seconds: number) => ({
    ...run.deps,
    now: () => new Date(Date.parse(instant) + seconds * 1000),
  });
  return { database, after, ...run };
}

test('with both holders alive it says how old the snapshot is and leaves no session', async () => {
  const { database, deps, after, runId } = await heldRun();
  const output = await watchSnapshot(after(7), { runId });
  expect(output).toMatchObject({ isDone: false, holders: 2, waitSeconds: 1 });
  expect(output.ageSeconds).toBeCloseTo(7, 2);
  await waitUntil(
    'only holders are left',
    async () => (await sessionsOf(database, runId)).length === 2,
  );
  await endHolders(deps, runId);
  await database.drop();
});

test('it asks to be called again after a tenth of the age, and after watchSeconds at the latest', async () => {
  const { database, deps, after, runId } = await heldRun({ options: { watchSeconds: 60 } });
  expect((await watchSnapshot(after(299), { runId })).waitSeconds).toBe(30);
  expect((await watchSnapshot(after(7_200), { runId })).waitSeconds).toBe(60);
  await endHolders(deps, runId);
  await database.drop();
});

test('either holder is replaced from the survivor, in turn, and the snapshot still gives the old rows', async () => {
  const { database, deps, runId, messages } = await heldRun();
  for (const victim of ['holder-1', 'holder-2']) {
    const { pid } = (await sessionsOf(database, runId)).find(({ what }) => what === victim) ?? {
      pid: 0,
    };
    await endSession(database, pid);
    expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: false, holders: 2 });
  }
  expect((await sessionsOf(database, runId)).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['holder-3', 'holder-4']),
  );
  expect(messages).toHaveLength(2);
  // Neither of the first two lives: what is imported now was exported by their successors.
  await using session = await openSession(database.settings, worker);
  await importSnapshot(session, await readSnapshot(deps.workspace, runId));
  expect(await session.query('SELECT count(*) FROM public.account')).toEqual([{ count: '1' }]);
  await session.close();
  await database.query(`SET lock_timeout = '300ms'`);
  await expect(database.query('TRUNCATE account')).rejects.toThrow(/lock timeout/);
  await endHolders(deps, runId);
  await database.drop();
});

test('a replacement leaves by itself too', async () => {
  const { database, deps, runId } = await heldRun(shortRounds);
  // Works on the run until the replacement is there.
  const session = await openSession(database.settings, worker);
  await importSnapshot(session, await readSnapshot(deps.workspace, runId));
  const [first] = await sessionsOf(database, runId);
  await endSession(database, first?.pid ?? 0);
  await watchSnapshot(deps, { runId });
  expect(await holdersOf(database, runId)).toBe(2);
  await session.close();
  await waitUntil('the holders leave', async () => (await holdersOf(database, runId)) === 0);
  await database.drop();
});

test('both holders gone is a lost snapshot, for the watch, for workers and for the release', async () => {
  const { database, deps, runId } = await heldRun();
  for (const { pid } of await sessionsOf(database, runId)) await endSession(database, pid);
  await expect(watchSnapshot(deps, { runId })).rejects.toMatchObject({ name: 'SnapshotLostError' });
  await using session = await openSession(database.settings, worker);
  const record = await readSnapshot(deps.workspace, runId);
  await expect(importSnapshot(session, record)).rejects.toMatchObject({
    name: 'SnapshotLostError',
  });
  await expect(releaseSnapshot(deps, { runId })).rejects.toMatchObject({
    name: 'SnapshotLostError',
  });
  await session.close();
  await database.drop();
});

test('a session with the same process id and another name is no holder', async () => {
  const { database, deps, runId } = await heldRun();
  const [first] = await sessionsOf(database, runId);
  const record = await readSnapshot(deps.workspace, runId);
  await endHolders(deps, runId);
  const [own] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const holders = record.holders.map((holder) => ({ ...holder, pid: own?.pid ?? 0 }));
  await deps.workspace.put(
    `runs/${runId}/snapshot.json`,
    new TextEncoder().encode(JSON.stringify({ ...record, holders })),
  );
  expect(first?.pid).not.toBe(own?.pid);
  await expect(watchSnapshot(deps, { runId })).rejects.toMatchObject({ name: 'SnapshotLostError' });
  expect(await database.query('SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  await database.drop();
});

test('after the release there is nothing to watch, and releasing again ends nothing more', async () => {
  const { database, deps, runId } = await heldRun();
  expect(await releaseSnapshot(deps, { runId })).toEqual({ ended: 2 });
  expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: true, holders: 0 });
  expect(await releaseSnapshot(deps, { runId })).toEqual({ ended: 0 });
  expect(await sessionsOf(database, runId)).toEqual([]);
  await database.drop();
});

test('an aborted run has no locks, nothing to watch, and keeps its first error', async () => {
  const { database, deps, runId } = await heldRun();
  const cause = JSON.stringify({
    errorType: 'CopyFailedError',
    errorMessage: 'disk on fire',
    hint: 'water',
  });
  const first = await abortDump(deps, { runId, error: { Error: 'CopyFailedError', Cause: cause } });
  expect(first.error).toBe('CopyFailedError');
  expect(await sessionsOf(database, runId)).toEqual([]);
  const later = await abortDump(deps, {
    runId,
    error: { Error: 'RunAbortedError', Cause: 'later' },
  });
  expect(later).toEqual(first);
  expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: true });
  await expect(throwIfAborted(deps.workspace, runId)).rejects.toMatchObject({
    name: 'RunAbortedError',
    message: expect.stringContaining('CopyFailedError: disk on fire'),
  });
  await database.drop();
});

test('a server that cannot be reached does not keep the mark from being written, and is told', async () => {
  const { database, deps, runId, messages } = await heldRun();
  const unreachable = { ...deps, connectionOf: async () => ({ ...database.settings, port: 1 }) };
  const ended = await endHolders(unreachable, runId);
  expect(ended).toMatchObject({ ended: 0, problem: expect.stringContaining(runId) });
  expect(messages.at(-1)?.message).toBe(ended.problem);
  await abortDump(unreachable, {
    runId,
    error: { Error: 'SourceUnreachableError', Cause: 'gone' },
  });
  expect(await watchSnapshot(deps, { runId })).toMatchObject({ isDone: true });
  await endHolders(deps, runId);
  await database.drop();
});
