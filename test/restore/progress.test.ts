import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { endPredecessors } from '../../core/postgres/end-predecessors.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import {
  bookkeepingOwner,
  bookkeepingSchemaOf,
  createBookkeeping,
  dropBookkeeping,
  isDone,
  once,
} from '../../core/restore/progress.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
const sessions: Session[] = [];
beforeAll(async () => {
  database = await testDatabase('progress');
  await database.query('CREATE TABLE work_done (v text)');
});
afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await database.drop();
});

const runOf = (runId: string, mode = 'new') =>
  ({
    runId,
    input: { mode },
    backup: { backupId: 'b-1' },
    workDatabase: database.name,
  }) as RestoreRun;

async function open(applicationName = 'holdfast/r/one'): Promise<Session> {
  const session = await openSession(database.settings, { applicationName, purpose: 'writer' });
  sessions.push(session);
  return session;
}

const work = (session: Session, text: string) => async () => {
  await session.query('INSERT INTO public.work_done VALUES ($1)', [text]);
  return 1;
};
const done = async (text: string) =>
  (await database.query('SELECT FROM work_done WHERE v = $1', [text])).length;

test('the bookkeeping of a run is made once, and is refused to another run', async () => {
  const session = await open();
  expect(await bookkeepingOwner(session, runOf('r-1'))).toBeUndefined();
  await createBookkeeping(session, runOf('r-1'));
  await createBookkeeping(session, runOf('r-1'));
  expect(await bookkeepingOwner(session, runOf('r-2'))).toBe('r-1');
  await expect(createBookkeeping(session, runOf('r-2'))).rejects.toMatchObject({
    name: 'TargetExistsError',
    message: expect.stringContaining('restore r-1'),
  });
  await dropBookkeeping(session, runOf('r-1'));
  await dropBookkeeping(session, runOf('r-1'));
  await database.query('CREATE SCHEMA holdfast_restore');
  await expect(createBookkeeping(session, runOf('r-1'))).rejects.toMatchObject({
    name: 'TargetExistsError',
    message: expect.stringContaining('somebody else'),
  });
  await database.query('DROP SCHEMA holdfast_restore');
});

test('in an existing database each restore has a schema of its own', () => {
  expect(bookkeepingSchemaOf(runOf('r-1', 'swap'))).toBe('holdfast_restore');
  expect(bookkeepingSchemaOf(runOf('r-1', 'into'))).toMatch(/^holdfast_restore_[0-9a-f]{8}$/);
  expect(bookkeepingSchemaOf(runOf('r-1', 'into'))).not.toBe(
    bookkeepingSchemaOf(runOf('r-2', 'into')),
  );
});

test('an item is done once, and remembers its rows', async () => {
  const session = await open();
  const run = runOf('r-once', 'into');
  await createBookkeeping(session, run);
  expect(await isDone(session, run, 'a')).toBe(false);
  expect(await once(session, run, 'a', work(session, 'a'))).toEqual({ rows: 1, wasDone: false });
  expect(await isDone(session, run, 'a')).toBe(true);
  expect(await once(session, run, 'a', work(session, 'a'))).toEqual({ rows: 1, wasDone: true });
  expect(await done('a')).toBe(1);
});

test('a failed item leaves neither its work nor its mark, and the session can go on', async () => {
  const session = await open();
  const run = runOf('r-failed', 'into');
  await createBookkeeping(session, run);
  const failing = async () => {
    await work(session, 'failed')();
    await session.query('SELECT 1 / 0');
    return 1;
  };
  await expect(once(session, run, 'b', failing)).rejects.toThrow('division by zero');
  expect([await isDone(session, run, 'b'), await done('failed')]).toEqual([false, 0]);
  expect(await once(session, run, 'b', async () => 7)).toEqual({ rows: 7, wasDone: false });
});

test('an error that the work swallowed is not taken for success', async () => {
  const session = await open();
  const run = runOf('r-swallowed', 'into');
  await createBookkeeping(session, run);
  const swallowing = async () => {
    await session.query('SELECT 1 / 0').catch(() => undefined);
    return 1;
  };
  await expect(once(session, run, 'c', swallowing)).rejects.toThrow(
    'current transaction is aborted',
  );
  expect(await isDone(session, run, 'c')).toBe(false);
});

test('two sessions at one item: one does it, the other finds it done', async () => {
  const [first, second] = [await open(), await open()];
  const run = runOf('r-two', 'into');
  await createBookkeeping(first, run);
  const results = await Promise.all([
    once(first, run, 'd', work(first, 'two')),
    once(second, run, 'd', work(second, 'two')),
  ]);
  expect(results.map(({ wasDone }) => wasDone).sort()).toEqual([false, true]);
  expect(await done('two')).toBe(1);
});

test('a predecessor that still holds an item is ended, and its work is undone', async () => {
  const name = 'holdfast/r/frozen';
  const [frozen, successor] = [await open(name), await open(name)];
  const run = runOf('r-frozen', 'into');
  await createBookkeeping(successor, run);
  let hasBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve;
  });
  const stuck = once(frozen, run, 'e', async () => {
    await work(frozen, 'frozen')();
    hasBegun();
    await frozen.query('SELECT pg_sleep(60)');
    return 1;
  });
  const ended = expect(stuck).rejects.toMatchObject({ name: 'ConnectionLostError' });
  await begun;
  await endPredecessors(successor, name);
  await ended;
  expect(await once(successor, run, 'e', work(successor, 'frozen'))).toEqual({
    rows: 1,
    wasDone: false,
  });
  expect(await done('frozen')).toBe(1);
});
