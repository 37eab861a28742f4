/**
 * Where the rows of a segment go, and what has to happen there before.
 *
 * Invariant: rows of a hash partition go through its root when the hash of the key may be another one here than it was at
 * the source: an enum's is that of its oid, and a text's under a nondeterministic collation that of its sort key.
 */
import type { Manifest, Segment, TableEntry } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import { bookkeepingSchemaOf } from '../progress.ts';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface LoadTarget {
  readonly table: TableName;
  /** Statements in the same transaction, before the COPY. */
  readonly before: readonly string[];
  readonly copy: string;
}

export const quoted = ({ schema, name }: TableName): string =>
  `${identifier(schema)}.${identifier(name)}`;

/** From this size on it pays to give the table new files, so that its rows can be written as frozen, plain bytes. */
const freezeBytes = 256 << 10;

export async function loadTargetOf(
  session: Session,
  run: Pick<RestoreRun, 'runId' | 'input'>,
  manifest: Pick<Manifest, 'tables'>,
  index: number,
  segmentIndex: number,
): Promise<LoadTarget> {
  const entry = manifest.tables[index] as TableEntry;
  const segment = entry.segments[segmentIndex] as Segment;
  if (run.input.mode === 'into') {
    const table = { schema: bookkeepingSchemaOf(run), name: `t${index}` };
    return { table, before: [], copy: copyFrom(table, entry, segment) };
  }
  if (entry.root !== undefined && (await isHashedUnportably(session, entry))) {
    return { table: entry.root, before: [], copy: copyFrom(entry.root, entry, segment) };
  }
  if (entry.kind === 'extension') {
    // CREATE EXTENSION has put rows there; those that the backup holds (by the same condition) replace them.
    const before = segmentIndex === 0 ? [deleteOwnRows(entry)] : [];
    return { table: entry, before, copy: copyFrom(entry, entry, segment) };
  }
  // Frozen rows need neither hint bits nor a freeze later: whoever reads them first does not write them again.
  const isFrozen = entry.segments.length === 1 && segment.rawBytes >= freezeBytes;
  return {
    table: entry,
    before: isFrozen ? [`TRUNCATE ONLY ${quoted(entry)}`] : [],
    copy: copyFrom(entry, entry, segment, isFrozen),
  };
}

function copyFrom(table: TableName, entry: TableEntry, segment: Segment, isFrozen = false): string {
  const columns = entry.columns.map(identifier).join(', ');
  const options = [
    "ENCODING 'UTF8'",
    ...(segment.format === 'binary' ? ['FORMAT binary'] : []),
    ...(isFrozen ? ['FREEZE'] : []),
  ];
  return `COPY ${quoted(table)}${columns === '' ? '' : ` (${columns})`} FROM STDIN WITH (${options.join(', ')})`;
}

function deleteOwnRows(entry: TableEntry): string {
  const condition = (entry.where ?? '').replace(/^\s*where\b/i, '').trim();
  return `DELETE FROM ONLY ${quoted(entry)}${condition === '' ? '' : ` WHERE (${condition})`}`;
}

/**
 * Is any ancestor of this partition partitioned by the hash of a key that is not known to be the same on every server?
 * Known are the operator classes of pg_catalog over plain types (a pseudo-type stands for enums, arrays, rows and
 * ranges) under deterministic collations; `oid_ops` serves `regclass` and its like, whose number changes as well.
 */
export async function isHashedUnportably(session: Session, partition: TableName): Promise<boolean> {
  const [row] = await session.query<{ isUnportable: boolean }>(`
    WITH RECURSIVE ancestors AS (
      SELECT inhparent AS oid FROM pg_catalog.pg_inherits
       WHERE inhrelid = ${literal(quoted(partition))}::pg_catalog.regclass
      UNION ALL
      SELECT i.inhparent FROM ancestors a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid)
    SELECT EXISTS (
      SELECT FROM ancestors a
        JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = a.oid AND p.partstrat = 'h'
       CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(p.partattrs::pg_catalog.int2[]),
         pg_catalog.unnest(p.partclass::pg_catalog.oid[]), pg_catalog.unnest(p.partcollation::pg_catalog.oid[])) AS key (attnum, opclass, sorting)
        JOIN pg_catalog.pg_opclass c ON c.oid = key.opclass
        JOIN pg_catalog.pg_type t ON t.oid = c.opcintype
        LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = p.partrelid AND att.attnum = key.attnum
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = key.sorting
       WHERE c.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace
          OR t.typtype <> 'b'
          OR c.opcintype = 'pg_catalog.oid'::pg_catalog.regtype
             AND att.atttypid IS DISTINCT FROM 'pg_catalog.oid'::pg_catalog.regtype
          OR NOT coalesce(l.collisdeterministic, true)
    ) AS "isUnportable"`);
  return row?.isUnportable ?? false;
}
