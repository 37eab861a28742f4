/**
 * Sequences behind the restored keys: those that were made stand where they stood in the backup; then every one that
 * feeds a column of a written table is put forward to the column's last value, so that the next row gets a free key.
 *
 * Invariant: never backward. setval() is not taken back by a rollback, so this comes last, and does no harm then: a gap.
 */
import type { Manifest } from '../../contract/manifest.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier, literal } from '../../schema/sql-text.ts';
import { quoted, type TableName } from './placing.ts';

export async function setMadeSequences(
  session: Session,
  manifest: Pick<Manifest, 'inventory'>,
  made: readonly TableName[],
): Promise<void> {
  for (const { schema, name, lastValue, isCalled } of manifest.inventory.sequences) {
    if (!made.some((one) => one.schema === schema && one.name === name)) continue;
    const sequence = literal(quoted({ schema, name }));
    await session.query(`SELECT pg_catalog.setval(${sequence}, ${BigInt(lastValue)}, ${isCalled})`);
  }
}

interface Feeding {
  readonly sequence: string;
  readonly table: string;
  readonly column: string;
  readonly isDescending: boolean;
  readonly least: string;
  readonly most: string;
}

/** @param oids tables that rows were written into */
export async function forwardSequences(session: Session, oids: readonly number[]): Promise<void> {
  for (const feeding of await session.query<Feeding>(feedingSql, [oids])) {
    const { sequence, table, column, isDescending, least, most } = feeding;
    const last = `pg_catalog.${isDescending ? 'min' : 'max'}(${identifier(column)})`;
    const isBehind = isDescending ? '<' : '>';
    await session.query(
      `SELECT pg_catalog.setval(${literal(sequence)}, t.last)
         FROM (SELECT ${last}::pg_catalog.int8 AS last FROM ${table}) AS t, ${sequence} AS s
        WHERE t.last BETWEEN ${BigInt(least)} AND ${BigInt(most)}
          AND (t.last ${isBehind} s.last_value OR t.last = s.last_value AND NOT s.is_called)`,
    );
  }
}

/** Owned by a column or used in its default; a partition's column is fed by that of its root. */
const feedingSql = `
  WITH written AS (
    SELECT o::pg_catalog.oid AS oid FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS o
    UNION
    SELECT pg_catalog.pg_partition_root(o::pg_catalog.oid) FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS o),
  feeding AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum
      FROM pg_catalog.pg_depend d
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
     WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
  SELECT DISTINCT f.sequence::pg_catalog.regclass::pg_catalog.text AS sequence,
         f.relation::pg_catalog.regclass::pg_catalog.text AS table, a.attname AS column,
         s.seqincrement < 0 AS "isDescending", s.seqmin::pg_catalog.text AS least, s.seqmax::pg_catalog.text AS most
    FROM feeding f
    JOIN written w ON w.oid = f.relation
    JOIN pg_catalog.pg_sequence s ON s.seqrelid = f.sequence
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.attnum
   WHERE a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype, 'pg_catalog.int8'::pg_catalog.regtype)`;
