/**
 * May this role read every row of every table? Asked before anything is locked, and all tables are named at once.
 *
 * Invariant: a table whose rows would be filtered by a policy is never read without an error or a proof.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { SelectedTable } from '../plan/select-tables.ts';
import type { Session } from '../postgres/session.ts';

/** Named in the message; all of them are in the evidence. */
const namedInMessage = 20;

/**
 * LOCK TABLE and COPY ask for SELECT on the table, and the name for USAGE on its schema. Partitioned tables are locked too.
 *
 * @throws PermissionDeniedError naming all tables at once
 */
export async function requireReadable(
  session: Session,
  tables: readonly SelectedTable[],
): Promise<void> {
  const rows = await session.query<{ oid: number }>(
    `SELECT c.oid
       FROM unnest($1::oid[]) AS given(oid) JOIN pg_class c ON c.oid = given.oid
      WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(c.relnamespace, 'USAGE'))`,
    [tables.map(({ oid }) => oid)],
  );
  if (rows.length === 0) return;
  const names = namesOf(tables, rows);
  throw new HoldfastError(
    'PermissionDeniedError',
    `The role ${session.settings.user} may not read ${describe(names)}.`,
    { evidence: { role: session.settings.user, tables: names } },
  );
}

/**
 * Asks for the tables of which rows are read and row security is active for this role (it isn't a superuser, has no
 * BYPASSRLS, doesn't own the table or the table forces it). Such a table may be read when it is named in `provenNames`
 * and the catalog shows that nothing is hidden: a permissive policy `USING (true)` applies and no restrictive one does.
 *
 * @param provenNames `schema.name`, as in options.rowSecurityProven
 * @returns oids of the tables that may be read only with row_security = on
 * @throws RowSecurityError naming all tables at once
 */
export async function requireWholeRows(
  session: Session,
  tables: readonly SelectedTable[],
  provenNames: readonly string[],
): Promise<number[]> {
  const read = tables.filter(
    ({ relkind, dataExcluded }) => relkind === 'r' && dataExcluded === null,
  );
  const rows = await session.query<{ oid: number; hidesNothing: boolean }>(activeSql, [
    read.map(({ oid }) => oid),
  ]);
  const nameOf = new Map(read.map((table) => [table.oid, `${table.schema}.${table.name}`]));
  const isProven = (row: { oid: number; hidesNothing: boolean }) =>
    row.hidesNothing && provenNames.includes(nameOf.get(row.oid) ?? '');
  const hiding = rows.filter((row) => !isProven(row));
  if (hiding.length > 0) {
    const names = namesOf(tables, hiding);
    throw new HoldfastError(
      'RowSecurityError',
      `Row security would hide rows from the role ${session.settings.user} in ${describe(names)}.`,
      { evidence: { role: session.settings.user, tables: names } },
    );
  }
  return rows.map(({ oid }) => oid);
}

/**
 * row_security_active() is the server's own answer (role, owner, FORCE), whatever the setting row_security is.
 * Policies that apply by membership do not count, and any restrictive one counts against: the locks of the holders
 * keep policies as they are, but not who is a member of what.
 */
const activeSql = `
  SELECT c.oid,
         coalesce(bool_or(p.polpermissive AND pg_get_expr(p.polqual, c.oid) = 'true'
           AND (0 = ANY (p.polroles) OR current_user::regrole::oid = ANY (p.polroles))), false)
           AND NOT coalesce(bool_or(NOT p.polpermissive), false) AS "hidesNothing"
    FROM unnest($1::oid[]) AS given(oid)
    JOIN pg_class c ON c.oid = given.oid AND c.relrowsecurity AND row_security_active(c.oid)
    LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polcmd IN ('r', '*')
   GROUP BY c.oid`;

function namesOf(tables: readonly SelectedTable[], rows: readonly { oid: number }[]): string[] {
  const oids = new Set(rows.map(({ oid }) => oid));
  return tables.filter(({ oid }) => oids.has(oid)).map(({ schema, name }) => `${schema}.${name}`);
}

function describe(names: readonly string[]): string {
  const named = names.slice(0, namedInMessage).join(', ');
  const more = names.length - namedInMessage;
  const count = names.length === 1 ? 'one table' : `${names.length} tables`;
  return `${count}: ${named}${more > 0 ? ` and ${more} more` : ''}`;
}
