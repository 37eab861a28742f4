/**
 * What belongs to a database and lies outside of it: the roles it refers to (no passwords: nobody may read them
 * on managed servers) and the database's own owner, ACL, settings, comment, limit and labels.
 *
 * Invariant: the text can be run on any server and again, in whatever database it is run; a role that exists is left
 * as it is; what the running role has no right to do is a WARNING and not an end.
 */
import type { Inventory } from '../contract/manifest.ts';
import { setClause } from './config-setting.ts';
import { type DatabaseStatement, databaseGrants } from './database-grants.ts';
import { dollarQuoted, identifier, literal, oneLine, sessionSettings } from './sql-text.ts';

type Role = Inventory['roles'][number];
type Database = Inventory['database'];

type Globals = Pick<Inventory, 'roles' | 'database'>;

/** @returns SQL text for psql or a driver, to be run in the new database before `pre-data` */
export function globalsSql(inventory: Globals): string {
  return [
    `-- Roles and database settings. The source was made with:\n${createOptions(inventory.database)}\n\n`,
    `${sessionSettings}\n`,
    rolesSql(inventory.roles),
    databaseSettingsSql(inventory),
  ].join('');
}

/** Makes the roles that are missing, and the memberships of all of them. */
export function rolesSql(roles: Inventory['roles']): string {
  return [
    ...roles.filter(({ name }) => !isPredefined(name)).map(createRole),
    ...roles.flatMap(memberships),
  ].join('');
}

/** Owner, rights, limit, comment, labels and settings of the database in which it is run. */
export function databaseSettingsSql({ roles, database }: Globals): string {
  const inDatabase = roles.flatMap((role) =>
    role.settings
      .filter(({ inThisDatabase }) => inThisDatabase)
      .map(({ setting }) => ({
        before: `ALTER ROLE ${identifier(role.name)} IN DATABASE `,
        after: ` ${setClause(setting)}`,
      })),
  );
  return [...databaseStatements(database), ...inDatabase].map(onThisDatabase).join('');
}

/** The server's own: there is one on every server (of that version), and nobody may create one. */
const isPredefined = (name: string) => name.startsWith('pg_');

function createOptions(database: Database): string {
  const options = Object.entries({
    ENCODING: database.encoding,
    LOCALE_PROVIDER: database.localeProvider,
    LC_COLLATE: database.collate,
    LC_CTYPE: database.ctype,
    LOCALE: database.locale,
    ICU_RULES: database.icuRules,
    COLLATION_VERSION: database.collationVersion,
  });
  return options
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `--   ${name} ${oneLine(literal(String(value)))}`)
    .join('\n');
}

function createRole(role: Role): string {
  const name = identifier(role.name);
  const ordinary = [
    role.canLogin ? 'LOGIN' : 'NOLOGIN',
    role.inherits ? 'INHERIT' : 'NOINHERIT',
    ...(role.connectionLimit === -1 ? [] : [`CONNECTION LIMIT ${role.connectionLimit}`]),
    ...(role.validUntil === null ? [] : [`VALID UNTIL ${literal(role.validUntil)}`]),
  ];
  const privileged = [
    role.isSuperuser && 'SUPERUSER',
    role.canCreateRole && 'CREATEROLE',
    role.canCreateDatabase && 'CREATEDB',
    role.canReplicate && 'REPLICATION',
    role.bypassesRowSecurity && 'BYPASSRLS',
  ].filter((attribute) => attribute !== false);
  const settings = role.settings.filter(({ inThisDatabase }) => !inThisDatabase);
  return block(
    [
      `IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal(role.name)}) THEN`,
      `CREATE ROLE ${name} ${ordinary.join(' ')};`,
      ...privileged.map((attribute) => tolerant(`ALTER ROLE ${name} ${attribute};`)),
      ...settings.map(({ setting }) => tolerant(`ALTER ROLE ${name} ${setClause(setting)};`)),
      ...(role.comment === null
        ? []
        : [tolerant(`COMMENT ON ROLE ${name} IS ${literal(role.comment)};`)]),
      'END IF;',
    ].join('\n'),
  );
}

/** From PostgreSQL 16 a membership says for itself whether it inherits and may SET ROLE; older servers know ADMIN only. */
function memberships(role: Role): string[] {
  return role.memberOf.map(({ role: group, hasAdminOption, inherits, canSet }) => {
    const grant = `GRANT ${identifier(group)} TO ${identifier(role.name)}`;
    const plain = `${grant}${hasAdminOption ? ' WITH ADMIN OPTION' : ''};`;
    if (inherits === undefined || canSet === undefined) return block(tolerant(plain));
    const options = `ADMIN ${hasAdminOption}, INHERIT ${inherits}, SET ${canSet}`;
    return block(
      tolerant(
        [
          "IF pg_catalog.current_setting('server_version_num')::int >= 160000 THEN",
          `EXECUTE ${literal(`${grant} WITH ${options}`)};`,
          'ELSE',
          plain,
          'END IF;',
        ].join('\n'),
      ),
    );
  });
}

function databaseStatements(database: Database): DatabaseStatement[] {
  const alter = (after: string) => ({ before: 'ALTER DATABASE ', after: ` ${after}` });
  return [
    alter(`OWNER TO ${identifier(database.owner)}`),
    ...(database.acl === null ? [] : databaseGrants(database.acl, database.owner)),
    ...(database.connectionLimit === -1
      ? []
      : [alter(`CONNECTION LIMIT ${database.connectionLimit}`)]),
    ...(database.comment === null
      ? []
      : [{ before: 'COMMENT ON DATABASE ', after: ` IS ${literal(database.comment)}` }]),
    ...database.securityLabels.map(({ provider, label }) => ({
      before: `SECURITY LABEL FOR ${identifier(provider)} ON DATABASE `,
      after: ` IS ${literal(label)}`,
    })),
    ...database.settings.map((setting) => alter(setClause(setting))),
  ];
}

/** The database may bear another name than the source's: it is the one that this runs in. */
function onThisDatabase({ before, after }: DatabaseStatement): string {
  const name = 'pg_catalog.quote_ident(pg_catalog.current_database())';
  return block(tolerant(`EXECUTE ${literal(before)} || ${name} || ${literal(after)};`));
}

/** What this server or role cannot do: a missing right, an unknown setting, role or label provider. */
function tolerant(statement: string): string {
  return `BEGIN
${statement}
EXCEPTION WHEN insufficient_privilege OR undefined_object OR invalid_parameter_value
  OR feature_not_supported OR cant_change_runtime_param THEN
  RAISE WARNING '%', SQLERRM;
END;`;
}

function block(body: string): string {
  return `DO ${dollarQuoted(`\nBEGIN\n${body}\nEND\n`)};\n\n`;
}
