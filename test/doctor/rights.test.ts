import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { largeObjectRights, sequenceRights, tableRights } from '../../core/doctor/checks/rights.ts';
import { rowSecurity } from '../../core/doctor/checks/row-security.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { look } from '../support/doctor.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let role: string;
let asRole: ConnectionSettings;

beforeEach(async () => {
  database = await testDatabase('doctor');
  role = `doctor_${randomBytes(4).toString('hex')}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x';
    CREATE TABLE readable (id int); CREATE TABLE "Hid den" (id serial);
    GRANT SELECT ON readable TO ${role}`);
  asRole = { ...database.settings, user: role, password: async () => 'x' };
});
afterEach(async () => {
  await database?.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await database?.drop();
});

test('a table that the role may not read is named, until it is granted', async () => {
  expect(await look(tableRights, asRole)).toMatchObject({
    id: 'table-rights',
    status: 'problem',
    detail: expect.stringContaining('1 table: public."Hid den"'),
    hint: expect.stringContaining(`GRANT pg_read_all_data TO "${role}"`),
  });
  await database.query(`GRANT SELECT ON "Hid den" TO ${role}`);
  expect(await look(tableRights, asRole)).toMatchObject({ status: 'ok', hint: null });
});

test('a schema that the role may not use hides its tables', async () => {
  await database.query(`CREATE SCHEMA closed; CREATE TABLE closed.t (id int);
    GRANT SELECT ON ALL TABLES IN SCHEMA public, closed TO ${role}`);
  expect(await look(tableRights, asRole)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining('closed.t'),
  });
  await database.query(`GRANT USAGE ON SCHEMA closed TO ${role}`);
  expect(await look(tableRights, asRole)).toMatchObject({ status: 'ok' });
});

test('a sequence that the role may not read is named, until it is granted', async () => {
  expect(await look(sequenceRights, asRole)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining('Hid den_id_seq'),
  });
  await database.query(`GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
  expect(await look(sequenceRights, asRole)).toMatchObject({ status: 'ok' });
});

test('large objects of others are counted, until the role may read all data', async () => {
  expect(await look(largeObjectRights, asRole)).toMatchObject({ status: 'ok' });
  await database.query(`SELECT lo_from_bytea(0, 'a'), lo_from_bytea(0, 'b')`);
  expect(await look(largeObjectRights, asRole)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining('2 of 2 large objects'),
  });
  await database.query(`GRANT pg_read_all_data TO ${role}`);
  expect(await look(largeObjectRights, asRole)).toMatchObject({ status: 'ok' });
});

test('a policy that applies to the role is a problem, and none to one that bypasses it', async () => {
  expect(await look(rowSecurity, asRole)).toMatchObject({ status: 'ok' });
  await database.query('ALTER TABLE readable ENABLE ROW LEVEL SECURITY');
  expect(await look(rowSecurity, asRole)).toMatchObject({
    status: 'problem',
    detail: expect.stringContaining('public.readable'),
    hint: expect.stringContaining('BYPASSRLS'),
  });
  expect(await look(rowSecurity, database.settings)).toMatchObject({ status: 'ok' });
  await database.query(`ALTER ROLE ${role} BYPASSRLS`);
  expect(await look(rowSecurity, asRole)).toMatchObject({ status: 'ok' });
});
