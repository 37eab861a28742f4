/**
 * Pages of large objects: the rows (loid, pageno, data) of a segment become the contents of their objects.
 *
 * Invariants: no right on pg_largeobject is needed, only that to create large objects; an object that is not there yet
 * is made under its number. All pages of an object are in one segment, so that no two sessions make the same one. An
 * object without pages is made by FinishRows.
 */
import type { Session } from '../../postgres/session.ts';

/** Of every server that is built as usual: a fourth of a block. */
const pageBytes = 2_048;

export const pagesTable = `CREATE TEMPORARY TABLE holdfast_pages
  (loid pg_catalog.oid, pageno pg_catalog.int4, data pg_catalog.bytea) ON COMMIT DROP`;
export const copyPages = `COPY pg_temp.holdfast_pages FROM STDIN WITH (ENCODING 'UTF8')`;

/** After the COPY, in its transaction. */
export async function writePages(session: Session): Promise<void> {
  await session.query(`
    SELECT pg_catalog.count(pg_catalog.lo_create(loid)) FROM (
      SELECT DISTINCT loid FROM pg_temp.holdfast_pages p
       WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata m WHERE m.oid = p.loid)
      OFFSET 0) AS missing`);
  await keepEmptyPages(session);
  await session.query(`
    SELECT pg_catalog.count(pg_catalog.lo_put(loid, pageno * ${pageBytes}::pg_catalog.int8, data)) FROM (
      SELECT * FROM pg_temp.holdfast_pages WHERE data <> ''::pg_catalog.bytea ORDER BY loid, pageno OFFSET 0) AS pages`);
}

/**
 * lo_truncate leaves a page without bytes at the end, which no write can make: it is made here as it was there. In order
 * and before all others, because what lies behind it goes.
 */
async function keepEmptyPages(session: Session): Promise<void> {
  const pages = await session.query<{ loid: number; pageno: number }>(
    `SELECT loid, pageno FROM pg_temp.holdfast_pages WHERE data = ''::pg_catalog.bytea ORDER BY loid, pageno`,
  );
  for (const { loid, pageno } of pages) {
    const at = `${pageno}::pg_catalog.int8 * ${pageBytes}`;
    await session.query(`SELECT pg_catalog.lo_put(${loid}, ${at}, '\\x00'::pg_catalog.bytea)`);
    // 131072 is INV_WRITE. One descriptor, opened, used and closed in one statement.
    await session.query(`SELECT pg_catalog.lo_close(fd) FROM (
      SELECT fd, pg_catalog.lo_truncate64(fd, ${at}) AS done FROM (
        SELECT pg_catalog.lo_open(${loid}, 131072) AS fd OFFSET 0) AS opened OFFSET 0) AS truncated WHERE done = 0`);
  }
}
