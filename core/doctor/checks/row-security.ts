/** Policies that would hide rows from this role. */
import { noFilters } from '../../contract/filters.ts';
import { selectTables } from '../../plan/select-tables.ts';
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, listed, ok, plural, problem } from '../check.ts';

export const rowSecurity: CheckDefinition<Session> = {
  id: 'row-security',
  title: 'Row security',
  async look(session) {
    const tables = await selectTables(session, noFilters);
    // row_security_active() is the server's own answer: role, owner and FORCE, whatever the setting row_security is.
    const rows = await session.query<{ name: string; isActive: boolean }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name, row_security_active(c.oid) AS "isActive"
         FROM unnest($1::oid[]) AS given(oid) JOIN pg_class c ON c.oid = given.oid
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relrowsecurity AND c.relkind = 'r'
        ORDER BY 1`,
      [tables.map(({ oid }) => oid)],
    );
    const names = rows.filter(({ isActive }) => isActive).map(({ name }) => name);
    if (names.length === 0) {
      return ok(
        rows.length === 0
          ? 'No table has row security.'
          : `${plural(rows.length, 'table')} with row security; none hides rows from this role.`,
      );
    }
    return problem(
      `Row security applies to ${session.settings.user} in ${plural(names.length, 'table')}: ${listed(names)}.`,
      'Use a role with BYPASSRLS or the owner of the tables, or leave their rows out with --exclude-table-data.',
    );
  },
};
