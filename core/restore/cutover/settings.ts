/**
 * The backup's owner, rights, limits, comment and settings of the database, as far as the role options want them. What
 * the target's role may not do or its server does not know is a warning.
 *
 * Invariant: PUBLIC may connect from here on, unless the backup says otherwise; the database was closed until then.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { type Inventory, type Warning, warningSchema } from '../../contract/manifest.ts';
import type { RestoreRun, RoleOptions } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { databaseSettingsSql } from '../../schema/globals.ts';
import { identifier } from '../../schema/sql-text.ts';
import { writeFact } from '../restore-run.ts';

type Database = Inventory['database'];
type Globals = Pick<Inventory, 'roles' | 'database'>;

/** @param globals with the values of all settings (`globalsOf`) */
export async function applyDatabaseSettings(
  deps: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  globals: Globals,
  session: Session,
): Promise<void> {
  const warnings: Warning[] = [];
  const listen = ({
    severity,
    message,
  }: {
    severity: string | undefined;
    message: string | undefined;
  }) => {
    if (severity !== 'WARNING') return;
    warnings.push({
      code: 'database-setting-refused',
      message: `A setting or right of the database was not taken over: ${message}`,
      hint: 'Give it by hand as an administrator of the server.',
    });
  };
  const [{ me = '', isClosed = false } = {}] = await session.query<{
    me: string;
    isClosed: boolean;
  }>(
    `SELECT current_user AS me,
            NOT pg_catalog.has_database_privilege('public', pg_catalog.current_database(), 'CONNECT') AS "isClosed"`,
  );
  const wanted = withRoleOptions(globals, run.input.roles, me);
  // Before the owner is another one, who alone could give it; then the rights are the usual ones again, as with none.
  const opening =
    isClosed && wanted.database.acl === null
      ? `GRANT CONNECT, TEMPORARY ON DATABASE ${identifier(run.workDatabase)} TO PUBLIC;\n`
      : '';
  session.client.on('notice', listen);
  try {
    await session.query(opening + databaseSettingsSql(wanted));
  } finally {
    session.client.off('notice', listen);
  }
  if (warnings.length === 0) return;
  await writeFact(deps.workspace, run.runId, 'warnings-settings', z.array(warningSchema), warnings);
}

/** @param me who stays the owner when owners are not wanted */
export function withRoleOptions(globals: Globals, options: RoleOptions, me: string): Globals {
  const named = (role: string) =>
    Object.hasOwn(options.map, role) ? (options.map[role] as string) : role;
  const { database } = globals;
  return {
    database: {
      ...database,
      owner: options.noOwner ? me : named(database.owner),
      acl: options.noPrivileges ? null : mapAcl(database.acl, named),
    },
    roles: globals.roles.map((role) => ({ ...role, name: named(role.name) })),
  };
}

/** `name=rights/grantor`: the grantee's name, quoted as soon as it is not plain; empty for PUBLIC. */
const grantee = /^(?:"((?:[^"]|"")*)"|([^"=]*))=/s;

function mapAcl(acl: Database['acl'], named: (role: string) => string): Database['acl'] {
  return (
    acl?.map((item) =>
      item.replace(grantee, (_whole, quoted: string | undefined, plain: string | undefined) => {
        const role = quoted?.replaceAll('""', '"') ?? plain ?? '';
        return role === '' ? '=' : `${identifier(named(role))}=`;
      }),
    ) ?? null
  );
}
