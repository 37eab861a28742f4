/** Foreign keys whose triggers somebody has disabled (or made `always`): no definition that pg_dump writes says so. */
import type { SwitchedOff } from '../contract/manifest.ts';
import { isUserSchema } from '../plan/match-patterns.ts';
import type { Session } from '../postgres/session.ts';

interface Row {
  readonly constraint: string;
  readonly of_schema: string;
  readonly of_name: string;
  readonly on_schema: string;
  readonly on_name: string;
  readonly function: string;
  readonly state: SwitchedOff['state'];
}

export async function readSwitchedOff(session: Session): Promise<SwitchedOff[]> {
  const rows = await session.query<Row>(
    `SELECT k.conname AS constraint, n.nspname AS of_schema, c.relname AS of_name,
            tn.nspname AS on_schema, tc.relname AS on_name, p.proname AS function,
            CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' ELSE 'always' END AS state
       FROM pg_catalog.pg_trigger t
       JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint AND k.contype = 'f'
       JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_class tc ON tc.oid = t.tgrelid
       JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
       JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
      WHERE t.tgisinternal AND t.tgenabled <> 'O' AND ${isUserSchema}
      ORDER BY 2, 3, 1, 4, 5, 6`,
  );
  return rows.map((row) => ({
    constraint: row.constraint,
    of: { schema: row.of_schema, name: row.of_name },
    on: { schema: row.on_schema, name: row.on_name },
    function: row.function,
    state: row.state,
  }));
}
