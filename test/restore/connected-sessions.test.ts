import pg from 'pg';
import { expect, it } from 'vitest';
import { openSession } from '../../core/postgres/session.ts';
import { requireUnused } from '../../core/restore/cutover/connected-sessions.ts';
import { sharedSettings, testDatabase } from '../support/postgres.ts';

async function withClient(applicationName: string, isEnded: boolean) {
  await using database = await testDatabase('connected');
  await database.client.end();
  const { url, name } = database;
  const client = new pg.Client({ connectionString: url, application_name: applicationName });
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  const options = { applicationName: 'holdfast/run-1/cutover', purpose: 'writer' } as const;
  await using session = await openSession(sharedSettings('postgres'), options);
  const [row] = await session.query<{ oid: number }>(
    'SELECT oid::int4 AS oid FROM pg_database WHERE datname = $1',
    [name],
  );
  const unused = requireUnused(session, { oid: row?.oid ?? 0, name }, 'run-1', false);
  if (isEnded) {
    await unused;
    await lost;
  } else {
    await expect(unused).rejects.toMatchObject({ name: 'TargetInUseError' });
    await client.end();
  }
}

it.each([
  ['holdfast/run-1/load-3', true],
  ['holdfast/20261121t0421-safety/holder-1', true],
  ['holdfast/another/holder-1', false],
  ['psql', false],
])(
  'a session called %s of a database that is swapped is ended without being asked for: %s',
  withClient,
);
