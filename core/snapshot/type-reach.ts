/** Which types the dumped columns are made of: element, base, attribute and range types, all the way down. */
import type { Session } from '../postgres/session.ts';

/**
 * @param tables oids of the tables whose rows are dumped
 * @returns oids of types, by the session's current snapshot
 */
export async function reachableTypes(
  session: Session,
  tables: readonly number[],
): Promise<number[]> {
  const rows = await session.query<{ oid: number }>(reachSql, [tables]);
  return rows.map(({ oid }) => oid);
}

const reachSql = `
  WITH RECURSIVE reachable (oid) AS (
    SELECT DISTINCT a.atttypid FROM pg_attribute a
     WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    UNION
    SELECT next.oid FROM reachable r JOIN pg_type t ON t.oid = r.oid
     CROSS JOIN LATERAL (
       SELECT t.typelem AS oid
       UNION ALL SELECT t.typbasetype
       UNION ALL SELECT a.atttypid FROM pg_attribute a
                  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL SELECT g.rngsubtype FROM pg_range g WHERE g.rngtypid = t.oid
       UNION ALL SELECT g.rngtypid FROM pg_range g WHERE g.rngmultitypid = t.oid
     ) next
     WHERE next.oid <> 0
  )
  SELECT oid FROM reachable`;
