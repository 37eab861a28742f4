/** What the role of the connection may do: create a database, rename the one that is replaced, write into one. */
import { failed, ok, type PreflightCheck, type ServerTarget } from './check.ts';

interface RightsRow {
  role: string;
  isSuperuser: boolean;
  mayCreateDatabases: boolean;
  /** Has the rights of the final database's owner, as a rename asks; null when there is none. */
  owns: boolean | null;
  mayCreateSchemas: boolean | null;
  mayConnect: boolean | null;
}

export const rights: PreflightCheck<ServerTarget> = {
  check: 'rights',
  async look({ session, input: { mode }, names: { finalDatabase } }) {
    const [row] = await session.query<RightsRow>(
      `SELECT r.rolname AS role, r.rolsuper AS "isSuperuser", r.rolcreatedb AS "mayCreateDatabases",
              pg_catalog.pg_has_role(d.datdba, 'USAGE') AS owns,
              pg_catalog.has_database_privilege(d.oid, 'CREATE') AS "mayCreateSchemas",
              pg_catalog.has_database_privilege(d.oid, 'CONNECT') AS "mayConnect"
         FROM pg_catalog.pg_roles r LEFT JOIN pg_catalog.pg_database d ON d.datname = $1
        WHERE r.rolname = current_user`,
      [finalDatabase],
    );
    if (row === undefined || row.isSuperuser) return ok('The role is a superuser.');
    const { role } = row;
    if (mode === 'into') {
      if (row.mayConnect === false || row.mayCreateSchemas === false) {
        return failed(
          `The role ${role} may not connect to and create schemas in ${JSON.stringify(finalDatabase)}.`,
          'GRANT CONNECT, CREATE ON DATABASE … TO the role: rows are put into a schema of their own first.',
        );
      }
      return ok(`The role ${role} may create schemas in ${JSON.stringify(finalDatabase)}.`);
    }
    if (!row.mayCreateDatabases) {
      return failed(
        `The role ${role} may not create databases.`,
        'ALTER ROLE … CREATEDB, or restore with a role that has it.',
      );
    }
    if (mode === 'swap' && row.owns === false) {
      return failed(
        `The role ${role} does not own ${JSON.stringify(finalDatabase)}, so it may not rename it.`,
        'Restore with its owner or a superuser; a member of the owner needs INHERIT.',
      );
    }
    return ok(`The role ${role} may create databases.`);
  },
};
