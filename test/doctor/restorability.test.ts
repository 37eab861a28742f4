import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  collationVersions,
  encoding,
  invalidIndexes,
} from '../../core/doctor/checks/definitions.ts';
import { extensions } from '../../core/doctor/checks/extensions.ts';
import { restorabilityWarnings } from '../../core/doctor/restorability.ts';
import { openSession } from '../../core/postgres/session.ts';
import { look } from '../support/doctor.ts';
import { sharedSettings, type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('restorability');
});
afterAll(async () => {
  await database?.drop();
});
beforeEach(async () => {
  await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
});

const warnings = async () => {
  await using session = await openSession(database.settings, {
    applicationName: 't',
    purpose: 'control',
  });
  return await restorabilityWarnings(session);
};

test('an extension that is not widely available is told with its version', async () => {
  await database.query('CREATE EXTENSION hstore');
  expect(await look(extensions, database.settings)).toMatchObject({ status: 'ok' });
  await database.query('CREATE EXTENSION pg_surgery');
  expect(await look(extensions, database.settings)).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(/1 extension .*pg_surgery \d/),
  });
});

test('an index whose concurrent build failed is told', async () => {
  await database.query('CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)');
  expect(await look(invalidIndexes, database.settings)).toMatchObject({ status: 'ok' });
  await database.query('CREATE UNIQUE INDEX CONCURRENTLY once ON t (id)').catch(() => undefined);
  expect(await look(invalidIndexes, database.settings)).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('1 index invalid, left out of the backup: public.once'),
  });
});

test('a database without an encoding is told', async () => {
  const name = `${database.name}_ascii`;
  await database.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  try {
    expect(await look(encoding, sharedSettings(name))).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('SQL_ASCII'),
    });
    expect(await look(encoding, database.settings)).toMatchObject({ status: 'ok' });
  } finally {
    await database.query(`DROP DATABASE ${name} WITH (FORCE)`);
  }
});

test('a collation that changed since it was made is told with both versions', async () => {
  await database.query(`CREATE COLLATION german (provider = icu, locale = 'de')`);
  expect(await look(collationVersions, database.settings)).toMatchObject({ status: 'ok' });
  await database.query(`SET allow_system_table_mods = on;
    UPDATE pg_collation SET collversion = '1.2.3' WHERE collname = 'german'; RESET allow_system_table_mods`);
  expect(await look(collationVersions, database.settings)).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(/public\.german \(1\.2\.3, now \d/),
  });
});

test('a database that changed its collation version is told', async () => {
  const set = (version: string) =>
    database.query(`SET allow_system_table_mods = on;
      UPDATE pg_database SET datlocprovider = 'i', datlocale = 'de', datcollversion = ${version}
       WHERE datname = '${database.name}'; RESET allow_system_table_mods`);
  await set(`'1.2.3'`);
  expect(await look(collationVersions, database.settings)).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('the database (1.2.3, now'),
  });
  await set('NULL');
  expect(await look(collationVersions, database.settings)).toMatchObject({ status: 'ok' });
});

test('a backup gets what was found as warnings with stable codes, and none when all is well', async () => {
  expect(await warnings()).toEqual([]);
  await database.query(
    'CREATE EXTENSION pg_surgery; CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)',
  );
  await database.query('CREATE UNIQUE INDEX CONCURRENTLY once ON t (id)').catch(() => undefined);
  expect(await warnings()).toEqual([
    {
      code: 'extensions',
      message: expect.stringContaining('pg_surgery'),
      hint: expect.any(String),
    },
    { code: 'invalid-indexes', message: expect.stringContaining('once'), hint: expect.any(String) },
  ]);
});
