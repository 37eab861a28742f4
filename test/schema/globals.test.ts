import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Inventory } from '../../core/contract/manifest.ts';
import { databaseSettingsSql, globalsSql, rolesSql } from '../../core/schema/globals.ts';
import { sequencesSql } from '../../core/schema/sequences.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { roleOf } from '../support/role-of.ts';

const unique = randomBytes(4).toString('hex');
const group = `globals ${unique} $holdfast$ "group"`;
const member = `globals_${unique}_it's`;

const inventory: Pick<Inventory, 'roles' | 'database'> = {
  roles: [
    roleOf(group, { comment: "a group's" }),
    roleOf(member, {
      canLogin: true,
      inherits: false,
      canCreateDatabase: true,
      bypassesRowSecurity: true,
      connectionLimit: 7,
      validUntil: '2030-01-01 00:00:00+00',
      memberOf: [
        { role: group, hasAdminOption: true, grantor: null, inherits: false, canSet: false },
        { role: 'pg_monitor', hasAdminOption: false, grantor: null },
      ],
      settings: [
        { inThisDatabase: false, setting: 'search_path="$user", "odd, ""name""", public' },
        { inThisDatabase: true, setting: 'work_mem=5MB' },
      ],
    }),
    roleOf('pg_monitor'),
  ],
  database: {
    name: 'somewhere else',
    owner: group,
    encoding: 'UTF8',
    localeProvider: 'libc',
    collate: 'C',
    ctype: 'C',
    locale: null,
    icuRules: null,
    collationVersion: null,
    connectionLimit: 33,
    tablespace: 'pg_default',
    isTemplate: false,
    acl: [`"${group.replaceAll('"', '""')}"=CTc/x`, `"${member}"=C*c/x`],
    comment: "it's $holdfast$ \\ a comment\nof two lines",
    securityLabels: [{ provider: 'nobody', label: 'x' }],
    settings: [
      'default_transaction_read_only=on',
      'search_path=""',
      'nonsense.of_ours=a, b',
      'no_such=1',
    ],
  },
};

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase(`globals "it's"`);
  await database.query(globalsSql(inventory));
});
afterAll(async () => {
  await database.drop();
  await using other = await testDatabase('globals_cleanup');
  for (const name of [member, group]) {
    const quoted = other.client.escapeIdentifier(name);
    await other.query(`DROP OWNED BY ${quoted}; DROP ROLE ${quoted}`);
  }
});

test('missing roles are made as they were, without passwords', async () => {
  const [made] = await database.query(
    `SELECT rolcanlogin, rolinherit, rolcreatedb, rolbypassrls, rolsuper, rolconnlimit, rolvaliduntil::text,
       rolpassword, shobj_description(oid, 'pg_authid') AS comment FROM pg_authid WHERE rolname = $1`,
    [member],
  );
  expect(made).toMatchObject({
    rolcanlogin: true,
    rolinherit: false,
    rolcreatedb: true,
    rolbypassrls: true,
    rolsuper: false,
    rolconnlimit: 7,
    rolpassword: null,
  });
  const memberships = await database.query(
    `SELECT roleid::regrole::text AS role, admin_option, inherit_option, set_option FROM pg_auth_members
      WHERE member = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY admin_option`,
    [member],
  );
  expect(memberships).toEqual([
    { role: 'pg_monitor', admin_option: false, inherit_option: false, set_option: true },
    {
      role: database.client.escapeIdentifier(group),
      admin_option: true,
      inherit_option: false,
      set_option: false,
    },
  ]);
});

test('the database in which it is run gets owner, rights, settings and comment of the source', async () => {
  const [row] = await database.query(
    `SELECT r.rolname AS owner, datconnlimit, shobj_description(d.oid, 'pg_database') AS comment,
       (SELECT count(*)::int FROM aclexplode(datacl) WHERE grantee = 0) AS public_rights,
       (SELECT string_agg(privilege_type || is_grantable, ',' ORDER BY privilege_type) FROM aclexplode(datacl)
         WHERE grantee = (SELECT oid FROM pg_roles WHERE rolname = $1)) AS rights,
       (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0) AS settings
     FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database()`,
    [member],
  );
  expect(row).toEqual({
    owner: group,
    datconnlimit: 33,
    comment: inventory.database.comment,
    public_rights: 0,
    rights: 'CONNECTfalse,CREATEtrue',
    settings: ['default_transaction_read_only=on', 'search_path=""', 'nonsense.of_ours=a, b'],
  });
});

test('settings of a role are restored, lists of names as lists', async () => {
  const rows = await database.query(
    `SELECT setdatabase <> 0 AS here, setconfig FROM pg_db_role_setting
      WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY 1`,
    [member],
  );
  expect(rows).toEqual([
    { here: false, setconfig: ['search_path="$user", "odd, ""name""", public'] },
    { here: true, setconfig: ['work_mem=5MB'] },
  ]);
});

test('it can be run again, in a database whose default is read only', async () => {
  await database.query(globalsSql(inventory));
});

test('a role that exists is left as it is', async () => {
  await database.query(`ALTER ROLE ${database.client.escapeIdentifier(group)} CONNECTION LIMIT 2`);
  await database.query(globalsSql(inventory));
  const rows = await database.query('SELECT rolconnlimit FROM pg_roles WHERE rolname = $1', [
    group,
  ]);
  expect(rows).toEqual([{ rolconnlimit: 2 }]);
});

test('sequences get their last values back, beyond 2^53 and under any name', async () => {
  await using other = await testDatabase('sequences');
  await other.query(
    `CREATE SCHEMA "s'"; CREATE SEQUENCE "s'"."a\\""b"; CREATE SEQUENCE down INCREMENT -1`,
  );
  const positions = [
    { schema: "s'", name: 'a\\"b', lastValue: '9223372036854775806', isCalled: true },
    { schema: 'public', name: 'down', lastValue: '-5', isCalled: false },
  ];
  await other.query(sequencesSql(positions));
  expect(
    await other.query(`SELECT last_value::text, is_called FROM "s'"."a\\""b" UNION ALL
      SELECT last_value::text, is_called FROM public.down`),
  ).toEqual(
    positions.map(({ lastValue, isCalled }) => ({ last_value: lastValue, is_called: isCalled })),
  );
});

test('its two parts are for servers and for databases: neither does the work of the other', () => {
  const roles = rolesSql(inventory.roles);
  const settings = databaseSettingsSql(inventory);
  expect(globalsSql(inventory)).toMatch(/^-- Roles and database settings/);
  expect(globalsSql(inventory).endsWith(`false);\n\n${roles}${settings}`)).toBe(true);
  expect(roles).not.toMatch(/DATABASE/);
  expect(settings).not.toMatch(/CREATE ROLE|^GRANT/m);
  expect(settings).toMatch(/IN DATABASE/);
});
