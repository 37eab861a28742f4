/**
 * One value for everything in the catalogs that a schema dump is made of. pg_dump reads the catalogs by its snapshot but
 * many pg_get_…() functions by the newest state: only when this value is the same in the snapshot and afresh, before and
 * after, is its text of one instant.
 *
 * Invariants: equal as long as no schema changes, whatever ANALYZE, VACUUM, inserts, sequences, temporary tables and
 * REFRESH do; the order of rows does not matter (a sum of 64-bit hashes per catalog); it reads what any role may read.
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';
import type { Session } from '../postgres/session.ts';
import { hashedCatalogs } from './hashed-catalogs.ts';

interface Column {
  catalog: string;
  column: string;
  isFunction: boolean;
}

/**
 * By the session's current snapshot: in an imported one the view of the snapshot, in a fresh session the newest state.
 *
 * @returns SHA-256, 64 hex digits; comparable between sessions of one server only
 */
export async function catalogHash(session: Session): Promise<string> {
  const columns = await session.query<Column>(columnsSql, [hashedCatalogs.map(({ name }) => name)]);
  const sums = hashedCatalogs.map(({ name, where = 'true', lazy = [] }) => {
    const hashed = columns
      .filter(({ catalog, column }) => catalog === name && !lazy.includes(column))
      // As text a function is looked up by name among all of its namesakes: 20 times for each type.
      .map(({ column, isFunction }) => (isFunction ? `c.${column}::oid` : `c.${column}`));
    if (hashed.length === 0)
      return `SELECT '${name}' AS catalog, 0::numeric AS rows, 0::numeric AS sum`;
    return `SELECT '${name}', count(*),
      coalesce(sum(hashtextextended(ROW(${hashed.join(', ')})::text COLLATE "C", 0)::numeric), 0)
      FROM pg_catalog.${name} c WHERE ${where}`;
  });
  const rows = await session.query<{ catalog: string; rows: string; sum: string }>(
    `SELECT catalog, rows::text, sum::text FROM (${sums.join(' UNION ALL ')}) sums (catalog, rows, sum) ORDER BY 1`,
  );
  if (rows.length !== hashedCatalogs.length) {
    throw new HoldfastError(
      'InternalError',
      `${rows.length} of ${hashedCatalogs.length} catalogs were hashed.`,
    );
  }
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

/** Catalogs have other columns in each version; those that this server lacks come out empty. */
const columnsSql = `
  SELECT c.relname AS catalog, quote_ident(a.attname) AS column, a.atttypid = 'regproc'::regtype AS "isFunction"
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
   WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relname = ANY ($1)
     AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY c.oid, a.attnum`;
