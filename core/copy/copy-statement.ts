/**
 * The COPY statement of one slice.
 *
 * Invariant: what it reads is the slice and nothing else: ONLY this table, the columns in the slice's order, blocks
 * from ≤ ctid < to. Every name is quoted; every function is named with its schema (search_path is empty).
 */
import { escapeIdentifier } from 'pg';
import type { Slice } from '../contract/plan.ts';

export type TableSlice = Extract<Slice, { of: 'table' }>;
export type LargeObjectSlice = Extract<Slice, { of: 'large-objects' }>;

/** @param isOpen the table has row security, and is read with row_security = on */
export function copyStatement(slice: Slice, isOpen = false): string {
  return slice.of === 'table' ? copyTable(slice, isOpen) : copyLargeObjects(slice);
}

export function quotedTable(table: { readonly schema: string; readonly name: string }): string {
  return `${escapeIdentifier(table.schema)}.${escapeIdentifier(table.name)}`;
}

function copyTable(slice: TableSlice, isOpen: boolean): string {
  const columns = slice.columns.map((column) => escapeIdentifier(column)).join(', ');
  const table = quotedTable(slice);
  const options = slice.format === 'binary' ? ' (FORMAT binary)' : '';
  const { blocks, where } = slice;
  if (blocks === undefined && where === undefined && !isOpen) {
    // This form reads the table itself and no children; without columns there is no list to give. Where row security is
    // on, servers before 14.7 and 15.2 make a query of it that reads the children too.
    return `COPY ${table}${columns === '' ? '' : ` (${columns})`} TO STDOUT${options}`;
  }
  const conditions = [
    ...(blocks === undefined || blocks.from === 0 ? [] : [`ctid >= '(${blocks.from},0)'`]),
    ...(blocks === undefined || blocks.to === null ? [] : [`ctid < '(${blocks.to},0)'`]),
    ...(where === undefined ? [] : [`(${where.replace(/^\s*where\b/i, '').trim()})`]),
  ];
  const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `COPY (SELECT ${columns}${columns === '' ? '' : ' '}FROM ONLY ${table}${filter}) TO STDOUT${options}`;
}

function copyLargeObjects(slice: LargeObjectSlice): string {
  const between = (column: string) => `${column} BETWEEN ${slice.fromOid} AND ${slice.toOid}`;
  switch (slice.by) {
    case 'pages':
      return `COPY (SELECT loid, pageno, data FROM pg_catalog.pg_largeobject
        WHERE ${between('loid')} ORDER BY loid, pageno) TO STDOUT`;
    case 'functions':
      return copyByFunctions(between('oid'));
    case 'metadata':
      return `COPY (SELECT m.oid, r.rolname, m.lomacl, pg_catalog.obj_description(m.oid, 'pg_largeobject')
        FROM pg_catalog.pg_largeobject_metadata m
        LEFT JOIN pg_catalog.pg_roles r ON r.oid = m.lomowner
        WHERE ${between('m.oid')} ORDER BY m.oid) TO STDOUT`;
  }
}

/**
 * For an owner who may not read pg_largeobject: the same three columns by lo_get, one page after another.
 * A hole in a sparse object comes as zeros here, which is what reading it gives. OFFSET 0 keeps the planner from
 * merging the levels: open, then seek to the end (2) for the size, then close. 262144 is INV_READ.
 */
function copyByFunctions(between: string): string {
  return `COPY (
    SELECT o.oid, p.pageno::pg_catalog.int4,
      pg_catalog.lo_get(o.oid, p.pageno * o.page, o.page::pg_catalog.int4) AS data
    FROM (
      SELECT oid, size, page, pg_catalog.lo_close(fd) AS closed FROM (
        SELECT oid, fd, page, pg_catalog.lo_lseek64(fd, 0, 2) AS size FROM (
          SELECT oid, pg_catalog.lo_open(oid, 262144) AS fd,
            pg_catalog.current_setting('block_size')::pg_catalog.int8 / 4 AS page
          FROM pg_catalog.pg_largeobject_metadata WHERE ${between} ORDER BY oid OFFSET 0
        ) AS opened OFFSET 0
      ) AS measured OFFSET 0
    ) AS o
    CROSS JOIN LATERAL pg_catalog.generate_series(0::pg_catalog.int8, (o.size - 1) / o.page) AS p (pageno)
    WHERE o.size > 0 AND o.closed = 0
  ) TO STDOUT`;
}
