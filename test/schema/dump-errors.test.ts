import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { expect, inject, test } from 'vitest';
import { type Filters, noFilters } from '../../core/contract/filters.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type DumpSectionRequest, dumpSection } from '../../core/schema/dump-section.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const request: DumpSectionRequest = { section: 'pre-data', filters: noFilters, lockWaitMs: 5_000 };
const open = (database: TestDatabase, user = 'postgres') =>
  openSession(
    { ...database.settings, user },
    { applicationName: 'holdfast/test/schema', purpose: 'worker' },
  );

async function failure(session: Session, changes: Partial<DumpSectionRequest> = {}) {
  try {
    await dumpSection(session, { ...request, ...changes });
  } catch (error) {
    return error;
  } finally {
    await session.close();
  }
  return undefined;
}

test('a pattern that matches nothing is named', async () => {
  await using database = await testDatabase('errors');
  await database.query('CREATE TABLE there ()');
  const withTables = (tables: string[]): Filters => ({ ...noFilters, tables });
  expect(
    await failure(await open(database), { filters: withTables(['there', 'nope*']) }),
  ).toMatchObject({
    name: 'PatternMatchesNothingError',
    message: expect.stringContaining('"nope*"'),
  });
  expect(await failure(await open(database), { filters: withTables(['a.b.c.d']) })).toMatchObject({
    name: 'UsageError',
  });
});

test('what pg_dump says is quoted without its noise', async () => {
  await using database = await testDatabase('errors');
  const error = await failure(await open(database), { snapshotName: '00000000-0000FFFF-9' });
  expect(error).toMatchObject({ name: 'SnapshotLostError' });
  expect(String(error)).toMatch(/does not exist|invalid snapshot/);
  expect(String(error)).not.toMatch(/invalid binary|pg-dump-thread/);
});

test('a table that somebody else has locked ends the dump after the time allowed', async () => {
  await using database = await testDatabase('errors');
  await database.query('CREATE TABLE locked ()');
  await database.query('BEGIN; LOCK TABLE locked');
  expect(await failure(await open(database), { lockWaitMs: 300 })).toMatchObject({
    name: 'LockNotAvailableError',
    message: expect.stringContaining('LOCK TABLE'),
  });
  await database.query('ROLLBACK');
});

test('a role without the right to read a table is told which', async () => {
  await using database = await testDatabase('errors');
  await database.query(`CREATE TABLE secret ();
    DO $$ BEGIN CREATE ROLE schema_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
  const { password } = inject('postgres');
  await database.query(`ALTER ROLE schema_reader PASSWORD '${password}'`);
  expect(await failure(await open(database, 'schema_reader'))).toMatchObject({
    name: 'PermissionDeniedError',
    message: expect.stringContaining('secret'),
  });
});

test('a session that the server ends midway is a lost connection, and nothing hangs', async () => {
  await using database = await testDatabase('errors');
  await database.query('CREATE TABLE locked ()');
  await database.query('BEGIN; LOCK TABLE locked');
  const session = await open(database);
  const ended = failure(session, { lockWaitMs: 30_000 });
  for (let waits = 0; waits === 0; ) {
    const [row] = await database.query<{ waits: number }>(
      'SELECT count(*)::int AS waits FROM pg_locks WHERE NOT granted AND pid = $1',
      [session.backendPid],
    );
    waits = row?.waits ?? 0;
    await sleep(20);
  }
  await database.query(`SELECT pg_terminate_backend(${session.backendPid})`);
  expect(await ended).toMatchObject({ name: 'ConnectionLostError' });
  await database.query('ROLLBACK');
});

test('a server newer than pg_dump is refused before anything is asked', async () => {
  await using database = await testDatabase('errors');
  const session = await open(database);
  const newer = Object.create(session, { serverVersionNum: { value: 190_001 } }) as Session;
  await expect(dumpSection(newer, request)).rejects.toMatchObject({
    name: 'UnsupportedServerVersionError',
    message: expect.stringContaining('19'),
  });
  await session.close();
});

test('an SQL_ASCII database with texts that are not UTF-8 is refused, one with others is dumped', async () => {
  await using admin = await testDatabase('errors');
  const database = `${admin.name}_ascii`;
  await admin.query(
    `CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`,
  );
  const openAscii = (purpose: 'control' | 'worker') =>
    openSession(
      { ...admin.settings, database },
      { applicationName: 'holdfast/test/ascii', purpose },
    );
  {
    await using control = await openAscii('control');
    await control.query("CREATE TABLE public.good (); COMMENT ON TABLE public.good IS 'größer'");
    await using worker = await openAscii('worker');
    expect((await dumpSection(worker, request)).sql).toContain('größer');
    await control.query(String.raw`DO $$ BEGIN
      EXECUTE 'COMMENT ON TABLE public.good IS ''' || convert_from('\xe4', 'SQL_ASCII') || '''';
    END $$`);
  }
  expect(await failure(await openAscii('worker'))).toMatchObject({ name: 'EncodingError' });
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
});

test('neither a dump that ends well nor one that fails leaves a thread behind', async () => {
  await using database = await testDatabase('errors');
  let started = 0;
  let ended = 0;
  const onWorker = (worker: Worker) => {
    started += 1;
    worker.once('exit', () => {
      ended += 1;
    });
  };
  process.on('worker', onWorker);
  expect(await failure(await open(database))).toBeUndefined();
  expect(
    await failure(await open(database), { snapshotName: '00000000-0000FFFF-9' }),
  ).toBeDefined();
  process.off('worker', onWorker);
  expect({ started, ended }).toEqual({ started: 2, ended: 2 });
});
