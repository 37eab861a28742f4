/**
 * The roles that a database cannot be restored without: owners, grantees in every ACL (columns, defaults and large
 * objects too), roles of policies and settings, and the roles that those are members of. No passwords: nobody may
 * read them on managed servers.
 *
 * pg_shdepend knows all of this but for pinned roles: the server's own (`pg_…`, on every server) are left out,
 * and the bootstrap superuser (oid 10) is looked for where it owns something or is granted something.
 */
import type { Inventory } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';

type Role = Inventory['roles'][number];

export async function readRoles(session: Session): Promise<Role[]> {
  const rows = await session.query<Omit<Role, 'memberOf' | 'settings'> & { oid: number }>(rolesSql);
  const oids = [rows.map(({ oid }) => oid)];
  const members = await session.query<Role['memberOf'][number] & { oid: number }>(
    membersSql(session.serverVersionNum),
    oids,
  );
  const settings = await session.query<Role['settings'][number] & { oid: number }>(
    settingsSql,
    oids,
  );
  const memberOf = Map.groupBy(members, ({ oid }) => oid);
  const settingsOf = Map.groupBy(settings, ({ oid }) => oid);
  return rows.map(({ oid, ...role }) => ({
    ...role,
    memberOf: (memberOf.get(oid) ?? []).map(({ oid: _, ...membership }) => membership),
    settings: (settingsOf.get(oid) ?? []).map(({ oid: _, ...setting }) => setting),
  }));
}

/** Owner column by catalog: what a user can own inside a database. */
const owners: Readonly<Record<string, string>> = {
  pg_class: 'relowner',
  pg_namespace: 'nspowner',
  pg_proc: 'proowner',
  pg_type: 'typowner',
  pg_operator: 'oprowner',
  pg_opclass: 'opcowner',
  pg_opfamily: 'opfowner',
  pg_collation: 'collowner',
  pg_conversion: 'conowner',
  pg_ts_dict: 'dictowner',
  pg_ts_config: 'cfgowner',
  pg_language: 'lanowner',
  pg_foreign_data_wrapper: 'fdwowner',
  pg_foreign_server: 'srvowner',
  pg_event_trigger: 'evtowner',
  pg_extension: 'extowner',
  pg_publication: 'pubowner',
  pg_subscription: 'subowner',
  pg_statistic_ext: 'stxowner',
  pg_default_acl: 'defaclrole',
  pg_largeobject_metadata: 'lomowner',
};

const acls: Readonly<Record<string, string>> = {
  pg_class: 'relacl',
  pg_attribute: 'attacl',
  pg_namespace: 'nspacl',
  pg_proc: 'proacl',
  pg_type: 'typacl',
  pg_language: 'lanacl',
  pg_foreign_data_wrapper: 'fdwacl',
  pg_foreign_server: 'srvacl',
  pg_default_acl: 'defaclacl',
  pg_largeobject_metadata: 'lomacl',
};

/** Objects below 16384 came with the server. */
const isUsers = (catalog: string) =>
  catalog === 'pg_attribute' ? 'attrelid >= 16384' : 'oid >= 16384';

const bootstrapIsReferenced = [
  `EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.oid = this.oid AND (d.datdba = 10
     OR EXISTS (SELECT FROM pg_catalog.aclexplode(d.datacl) a WHERE a.grantee = 10)))`,
  ...Object.entries(owners).map(
    ([catalog, owner]) =>
      `EXISTS (SELECT FROM pg_catalog.${catalog} WHERE ${isUsers(catalog)} AND ${owner} = 10)`,
  ),
  ...Object.entries(acls).map(
    ([catalog, acl]) =>
      `EXISTS (SELECT FROM pg_catalog.${catalog} c, pg_catalog.aclexplode(c.${acl}) a
        WHERE c.${acl} IS NOT NULL AND ${isUsers(catalog)} AND a.grantee = 10)`,
  ),
].join(' OR ');

const rolesSql = `
  WITH RECURSIVE this AS (
    SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
  ), referenced AS (
    SELECT s.refobjid AS oid FROM pg_catalog.pg_shdepend s, this
     WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
       AND (s.dbid = this.oid OR (s.dbid = 0 AND s.objid = this.oid
            AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass))
    UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting s, this WHERE s.setdatabase = this.oid
    UNION SELECT 10 FROM this WHERE ${bootstrapIsReferenced}
  ), needed AS (
    SELECT oid FROM referenced
    UNION
    SELECT m.roleid FROM needed JOIN pg_catalog.pg_auth_members m ON m.member = needed.oid
  )
  SELECT r.oid, r.rolname AS name, r.rolcanlogin AS "canLogin", r.rolsuper AS "isSuperuser",
         r.rolinherit AS inherits, r.rolcreaterole AS "canCreateRole",
         r.rolcreatedb AS "canCreateDatabase", r.rolreplication AS "canReplicate",
         r.rolbypassrls AS "bypassesRowSecurity", r.rolconnlimit AS "connectionLimit",
         r.rolvaliduntil::pg_catalog.text AS "validUntil",
         pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment
    FROM pg_catalog.pg_roles r JOIN needed ON needed.oid = r.oid
   WHERE r.rolname !~ '^pg_'
   ORDER BY r.rolname`;

/** From 16 on a membership says by itself whether it inherits and may SET ROLE. */
const membersSql = (versionNum: number) => `
  SELECT m.member AS oid, role.rolname AS role, m.admin_option AS "hasAdminOption",
         ${versionNum >= 160000 ? 'm.inherit_option AS "inherits", m.set_option AS "canSet",' : ''}
         grantor.rolname AS grantor
    FROM pg_catalog.pg_auth_members m
    JOIN pg_catalog.pg_roles role ON role.oid = m.roleid
    LEFT JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
   WHERE m.member = ANY ($1::pg_catalog.oid[])
   ORDER BY role.rolname, grantor.rolname`;

const settingsSql = `
  SELECT s.setrole AS oid, s.setdatabase <> 0 AS "inThisDatabase",
         pg_catalog.unnest(s.setconfig) AS setting
    FROM pg_catalog.pg_db_role_setting s
   WHERE s.setrole = ANY ($1::pg_catalog.oid[])
     AND (s.setdatabase = 0 OR s.setdatabase =
          (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
   ORDER BY 1, 2`;
