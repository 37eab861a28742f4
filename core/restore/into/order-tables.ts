/** Tables in an order in which those that others refer to come first, by the foreign keys that the target has. */
import type { Session } from '../../postgres/session.ts';

/**
 * A circle of foreign keys stays as it is given: deferrable ones are checked at the end, others are an error of the rows.
 *
 * @param oids of tables in the target
 * @returns the same, ordered
 */
export async function orderByReferences(
  session: Session,
  oids: readonly number[],
): Promise<number[]> {
  const edges = await session.query<{ child: number; parent: number }>(
    `WITH chosen AS (
       SELECT o AS oid, coalesce(pg_catalog.pg_partition_root(o::pg_catalog.oid), o::pg_catalog.oid) AS root
         FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS o)
     SELECT DISTINCT child.oid::pg_catalog.float8 AS child, parent.oid::pg_catalog.float8 AS parent
       FROM pg_catalog.pg_constraint c
       JOIN chosen child ON c.conrelid IN (child.oid::pg_catalog.oid, child.root)
       JOIN chosen parent ON c.confrelid IN (parent.oid::pg_catalog.oid, parent.root)
      WHERE c.contype = 'f' AND child.oid <> parent.oid`,
    [oids],
  );
  const ordered: number[] = [];
  const left = new Set(oids);
  while (left.size > 0) {
    const free = [...left].filter(
      (oid) => !edges.some(({ child, parent }) => child === oid && left.has(parent)),
    );
    const next = free.length > 0 ? free : [...left];
    ordered.push(...next);
    for (const oid of next) left.delete(oid);
  }
  return ordered;
}
