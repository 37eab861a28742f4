import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRoles } from '../../core/inventory/roles.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
const suffix = randomBytes(4).toString('hex');
const made: string[] = [];

/** Roles belong to the server, which other tests use too. */
async function role(name: string, options = ''): Promise<string> {
  const full = `${name}_${suffix}`;
  await database.query(`CREATE ROLE "${full}" ${options}`);
  made.push(full);
  return full;
}

beforeEach(async () => {
  database = await testDatabase('roles');
  session = await openSession(database.settings, { applicationName: 'test', purpose: 'worker' });
});
afterEach(async () => {
  await session.close();
  await database.query(`ALTER DATABASE "${database.name}" OWNER TO postgres`);
  for (const name of made) await database.query(`DROP OWNED BY "${name}" CASCADE`);
  for (const name of made.splice(0)) await database.query(`DROP ROLE "${name}"`);
  await database.drop();
});

const names = async () => (await readRoles(session)).map(({ name }) => name).sort();

test('a role is found wherever the database refers to it, and nobody else is', async () => {
  await role('stranger', 'LOGIN');
  const found: string[] = [];
  for (const name of [
    'owner',
    'table',
    'column',
    'default',
    'large',
    'policy',
    'setting',
    'group',
    'database',
    'mapped',
  ]) {
    found.push(await role(name));
  }
  const [owner, table, column, byDefault, large, policy, setting, group, grantee, mapped] = found;
  await database.query(`
    CREATE TABLE t (id int, secret int); ALTER TABLE t OWNER TO "${owner}";
    GRANT SELECT ON t TO "${table}"; GRANT SELECT (secret) ON t TO "${column}";
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "${byDefault}";
    SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO "${large}";
    CREATE POLICY p ON t TO "${policy}";
    ALTER ROLE "${setting}" IN DATABASE "${database.name}" SET work_mem = '1MB';
    GRANT "${group}" TO "${owner}"; GRANT CONNECT ON DATABASE "${database.name}" TO "${grantee}";
    CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
    CREATE USER MAPPING FOR "${mapped}" SERVER s;`);
  expect(await names()).toEqual([...found, 'postgres'].sort());
});

test('attributes, settings, comment and memberships are told as they are', async () => {
  const group = await role('group');
  const app = await role(
    'app',
    `LOGIN NOINHERIT CREATEDB CONNECTION LIMIT 7 PASSWORD 'secret-word'
    VALID UNTIL '2030-01-02 03:04:05+00'`,
  );
  await database.query(`CREATE TABLE t (); ALTER TABLE t OWNER TO "${app}";
    GRANT "${group}" TO "${app}" WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
    GRANT pg_monitor TO "${app}"; COMMENT ON ROLE "${app}" IS 'the app''s';
    ALTER ROLE "${app}" SET search_path = a, "B c";
    ALTER ROLE "${app}" IN DATABASE "${database.name}" SET work_mem = '1MB';`);
  const roles = await readRoles(session);
  expect(JSON.stringify(roles)).not.toContain('secret-word');
  expect(roles.find(({ name }) => name === app)).toEqual({
    name: app,
    canLogin: true,
    isSuperuser: false,
    inherits: false,
    canCreateRole: false,
    canCreateDatabase: true,
    canReplicate: false,
    bypassesRowSecurity: false,
    connectionLimit: 7,
    validUntil: '2030-01-02 03:04:05+00',
    comment: "the app's",
    memberOf: [
      { role: group, hasAdminOption: true, inherits: false, canSet: false, grantor: 'postgres' },
      {
        role: 'pg_monitor',
        hasAdminOption: false,
        inherits: false,
        canSet: true,
        grantor: 'postgres',
      },
    ],
    settings: [
      { inThisDatabase: false, setting: 'search_path=a, "B c"' },
      { inThisDatabase: true, setting: 'work_mem=1MB' },
    ],
  });
});

test('the bootstrap superuser is there only when the database refers to it', async () => {
  const owner = await role('owner');
  await database.query(`ALTER DATABASE "${database.name}" OWNER TO "${owner}"`);
  expect(await names()).toEqual([owner]);
  await database.query('CREATE TABLE t ()');
  expect(await names()).toEqual([owner, 'postgres']);
  await database.query(`ALTER TABLE t OWNER TO "${owner}"; GRANT SELECT ON t TO postgres`);
  expect(await names()).toEqual([owner, 'postgres']);
});
