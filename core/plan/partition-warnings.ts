/** As in pg_dump, a pattern that matches a partitioned table does not choose its partitions, and those have the rows. */
import type { Warning } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';
import type { SelectedTable } from './select-tables.ts';

export async function partitionWarnings(
  session: Session,
  selected: readonly SelectedTable[],
): Promise<Warning[]> {
  const oids = selected.map(({ oid }) => oid);
  const rows = await session.query<{ schema: string; name: string; left: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.count(*) AS left
       FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS given(oid)
       JOIN pg_catalog.pg_class c ON c.oid = given.oid AND c.relkind = 'p'
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
       JOIN pg_catalog.pg_class part ON part.oid = i.inhrelid AND part.relkind IN ('r', 'p')
       LEFT JOIN pg_catalog.unnest($1::pg_catalog.oid[]) AS taken(oid) ON taken.oid = i.inhrelid
      WHERE taken.oid IS NULL GROUP BY 1, 2 ORDER BY 1, 2`,
    [oids],
  );
  return rows.map(({ schema, name, left }) => ({
    code: 'partitions-not-selected',
    message: `${left} partitions of ${schema}.${name} are not in this backup, with all their rows.`,
    hint: 'Choose them too, e.g. with a wildcard in --table, or leave the filter out.',
  }));
}
