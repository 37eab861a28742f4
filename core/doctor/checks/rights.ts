/** What this role may not read: tables, sequences, large objects; and whether it may end its own sessions. */
import { noFilters } from '../../contract/filters.ts';
import { isUserSchema } from '../../plan/match-patterns.ts';
import { selectTables } from '../../plan/select-tables.ts';
import { requireOwnSessions } from '../../postgres/acting-role.ts';
import type { Session } from '../../postgres/session.ts';
import { type CheckDefinition, listed, ok, plural, problem } from '../check.ts';

const grantHint = (role: string) =>
  `GRANT pg_read_all_data TO "${role}" reads everything; or leave tables out with --exclude-table.`;

export const tableRights: CheckDefinition<Session> = {
  id: 'table-rights',
  title: 'Right to read every table',
  async look(session) {
    const tables = await selectTables(session, noFilters);
    const rows = await session.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name
         FROM unnest($1::oid[]) AS given(oid) JOIN pg_class c ON c.oid = given.oid
         JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'))
        ORDER BY 1`,
      [tables.map(({ oid }) => oid)],
    );
    if (rows.length === 0)
      return ok(`The role may read ${plural(tables.length, 'table')}, that is all of them.`);
    const names = rows.map(({ name }) => name);
    return problem(
      `The role ${session.settings.user} may not read ${plural(names.length, 'table')}: ${listed(names)}.`,
      grantHint(session.settings.user),
    );
  },
};

export const sequenceRights: CheckDefinition<Session> = {
  id: 'sequence-rights',
  title: 'Right to read every sequence',
  async look(session) {
    // A sequence of an extension belongs to its configuration tables, if at all.
    const rows = await session.query<{ name: string; mayRead: boolean }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name,
              has_sequence_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS "mayRead"
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${isUserSchema}
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                             AND d.deptype = 'e')
        ORDER BY 1`,
    );
    const names = rows.filter(({ mayRead }) => !mayRead).map(({ name }) => name);
    if (names.length === 0)
      return ok(`The role may read ${plural(rows.length, 'sequence')}, that is all of them.`);
    return problem(
      `The role ${session.settings.user} may not read ${plural(names.length, 'sequence')}: ${listed(names)}.`,
      grantHint(session.settings.user),
    );
  },
};

export const largeObjectRights: CheckDefinition<Session> = {
  id: 'large-object-rights',
  title: 'Right to read every large object',
  async look(session) {
    // pg_largeobject itself is readable with pg_read_all_data or as superuser; lo_get wants SELECT on each object.
    const [row] = await session.query<{ all: string; hidden: string }>(
      `SELECT count(*) AS all,
              count(*) FILTER (WHERE NOT has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')
                AND NOT pg_has_role(m.lomowner, 'USAGE')
                AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
                     AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)) AS hidden
         FROM pg_largeobject_metadata m`,
    );
    const [all, hidden] = [Number(row?.all), Number(row?.hidden)];
    if (hidden === 0)
      return ok(all === 0 ? 'There are no large objects.' : `The role may read all ${all}.`);
    return problem(
      `The role ${session.settings.user} may not read ${hidden} of ${plural(all, 'large object')}.`,
      `GRANT pg_read_all_data TO "${session.settings.user}", or GRANT SELECT ON LARGE OBJECT … for each.`,
    );
  },
};

/** As Plan would decide. */
export const ownSessions: CheckDefinition<Session> = {
  id: 'own-sessions',
  title: 'Right to end its own sessions',
  async look(session) {
    await requireOwnSessions(session);
    return ok('The role may see and end the sessions of its login.');
  },
};
