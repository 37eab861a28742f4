import { afterAll, beforeAll, expect, test } from 'vitest';
import { blockingLocks, longTransactions } from '../../core/doctor/checks/activity.ts';
import { look } from '../support/doctor.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('activity');
  await database.query('CREATE TABLE busy (id int)');
});
afterAll(async () => {
  await database?.drop();
});

test('an exclusive lock is told with process, table and statement, until it is gone', async () => {
  expect(await look(blockingLocks, database.settings)).toMatchObject({ status: 'ok' });
  await database.query('BEGIN');
  const [row] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await database.query('ALTER TABLE busy ADD COLUMN more int');
  expect(await look(blockingLocks, database.settings)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining(`process ${row?.pid} holds public.busy (ALTER TABLE busy`),
  });
  await database.query('ROLLBACK');
  expect(await look(blockingLocks, database.settings)).toMatchObject({ status: 'ok' });
});

test('a share lock of a reader or writer is no block', async () => {
  await database.query('BEGIN; INSERT INTO busy VALUES (1)');
  expect(await look(blockingLocks, database.settings)).toMatchObject({ status: 'ok' });
  await database.query('ROLLBACK');
});

test('a transaction that is open for long is told with its age', async () => {
  expect(await look(longTransactions(), database.settings)).toMatchObject({ status: 'ok' });
  await database.query('BEGIN');
  await database.query('SELECT 1');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await look(longTransactions(0.2), database.settings)).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(/process \d+ for \d+ s, idle in transaction/),
  });
  expect(await look(longTransactions(), database.settings)).toMatchObject({ status: 'ok' });
  await database.query('ROLLBACK');
  expect(await look(longTransactions(0.2), database.settings)).toMatchObject({ status: 'ok' });
});
