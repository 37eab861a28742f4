/** How many rows a constraint refuses, for its error. Counts that cannot be had (an operator of one's own) are undefined. */
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import { quoted, type TableName } from './placing.ts';
import type { RowSource } from './row-source.ts';

/** Rows that were to go into a table. */
export interface KeyRows {
  readonly source: RowSource;
  readonly targetOid: number;
}

/** In a transaction that works; a count that fails does not end it. */
async function counted(session: Session, sql: string): Promise<number | undefined> {
  await session.query('SAVEPOINT counting');
  try {
    const [row] = await session.query<{ count: string }>(sql);
    await session.query('RELEASE SAVEPOINT counting');
    return Number(row?.count);
  } catch {
    await session.query('ROLLBACK TO SAVEPOINT counting');
    return undefined;
  }
}

/** Rows whose key, by this unique index, is in the table. */
export async function countConflicts(
  session: Session,
  { source, targetOid }: KeyRows,
  index: string,
): Promise<number | undefined> {
  const [found] = await session.query<{ table: string; columns: string[] | null }>(
    `SELECT x.indrelid::pg_catalog.regclass::pg_catalog.text AS table,
       (SELECT pg_catalog.json_agg(a.attname ORDER BY k.n)
          FROM pg_catalog.unnest(x.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (attnum, n)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
         WHERE k.n <= x.indnkeyatts) AS columns
       FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
      WHERE i.relname = $2 AND x.indisunique AND x.indexprs IS NULL AND x.indpred IS NULL
        AND (x.indrelid = $1 OR x.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1)))`,
    [targetOid, index],
  );
  if (found?.columns == null) return undefined;
  return counted(
    session,
    `SELECT pg_catalog.count(*) FROM (SELECT * FROM ${source.from}) AS r
      WHERE EXISTS (SELECT FROM ${found.table} AS t WHERE ${equal('r', found.columns, 't', found.columns)})`,
  );
}

/** Is it by this index that rows are skipped or replaced? */
export async function isPrimaryKey(
  session: Session,
  { targetOid }: Pick<KeyRows, 'targetOid'>,
  index: string,
): Promise<boolean> {
  const rows = await session.query(
    `SELECT FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
      WHERE i.relname = $2 AND x.indisprimary
        AND (x.indrelid = $1 OR x.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1)))`,
    [targetOid, index],
  );
  return rows.length > 0;
}

export interface ForeignKey {
  /** As SQL. */
  parent: string;
  /** As people read it. */
  parentTable: TableName;
  columns: string[];
  parentColumns: string[];
  isSelf: boolean;
}

/** Rows that refer to none of the parent's, as both are in this transaction. */
export async function countOrphans(
  session: Session,
  { source }: Pick<KeyRows, 'source'>,
  { parent, columns, parentColumns, isSelf }: ForeignKey,
): Promise<number | undefined> {
  const rows = `(SELECT * FROM ${source.from})`;
  const amongThem = isSelf
    ? ` AND NOT EXISTS (SELECT FROM ${rows} AS s WHERE ${equal('r', columns, 's', parentColumns)})`
    : '';
  return counted(
    session,
    `SELECT pg_catalog.count(*) FROM ${rows} AS r WHERE ${notNull('r', columns)}
        AND NOT EXISTS (SELECT FROM ${parent} AS p WHERE ${equal('r', columns, 'p', parentColumns)})${amongThem}`,
  );
}

/** Rows of a child table without a parent, by the columns of a foreign key that is not made yet. */
export function countUnmatched(
  session: Session,
  child: { readonly schema: string; readonly name: string },
  key: { readonly parent: string; readonly columns: string[]; readonly parentColumns: string[] },
): Promise<number | undefined> {
  return counted(
    session,
    `SELECT pg_catalog.count(*) FROM ${quoted(child)} AS r WHERE ${notNull('r', key.columns)}
        AND NOT EXISTS (SELECT FROM ${key.parent} AS p WHERE ${equal('r', key.columns, 'p', key.parentColumns)})`,
  );
}

/** A foreign key of the table by name: one that is there, or one that was just made NOT VALID. */
export async function foreignKey(
  session: Session,
  childOid: number,
  constraint: string,
): Promise<ForeignKey | undefined> {
  const names = (relation: string, key: string) =>
    `(SELECT pg_catalog.json_agg(a.attname ORDER BY k.n)
        FROM pg_catalog.unnest(c.${key}) WITH ORDINALITY AS k (attnum, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.${relation} AND a.attnum = k.attnum)`;
  const [found] = await session.query<ForeignKey>(
    `SELECT c.confrelid::pg_catalog.regclass::pg_catalog.text AS parent,
            (SELECT pg_catalog.json_build_object('schema', n.nspname, 'name', p.relname)
               FROM pg_catalog.pg_class p JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
              WHERE p.oid = c.confrelid) AS "parentTable", ${names('conrelid', 'conkey')} AS columns,
            ${names('confrelid', 'confkey')} AS "parentColumns", c.conrelid = c.confrelid AS "isSelf"
       FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1 AND c.contype = 'f' AND c.conname = $2`,
    [childOid, constraint],
  );
  return found;
}

const column = (alias: string, name: string) => `${alias}.${identifier(name)}`;

const equal = (a: string, as: readonly string[], b: string, bs: readonly string[]): string =>
  as.map((name, at) => `${column(a, name)} = ${column(b, bs[at] ?? '')}`).join(' AND ');

const notNull = (alias: string, names: readonly string[]): string =>
  names.map((name) => `${column(alias, name)} IS NOT NULL`).join(' AND ');
