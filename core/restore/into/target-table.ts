/** What the target knows of a table that rows are to be merged into. */
import type { Session } from '../../postgres/session.ts';
import { quoted, type TableName } from './placing.ts';

export interface TargetColumn {
  readonly name: string;
  /** Without a length or precision: a value that is too long is to be an error and not cut off. */
  readonly type: string;
  /** With them. */
  readonly fullType: string;
  readonly isGenerated: boolean;
  /** Its values come from the server, and an UPDATE may not give another. */
  readonly isAlwaysIdentity: boolean;
  /** A row that says nothing of it can be stored. */
  readonly isOptional: boolean;
}

export interface TargetTable {
  readonly oid: number;
  /** r: with rows; p: partitioned; others cannot be merged into. */
  readonly relkind: string;
  readonly columns: readonly TargetColumn[];
  /** Columns of the primary key; empty when there is none. */
  readonly primaryKey: readonly string[];
  /** By which its columns are equal, in SQL: an extension's type has its own, which no search path need find. None WITHOUT OVERLAPS. */
  readonly keyOperators: readonly string[];
  readonly isKeyDeferrable: boolean;
  /** Triggers of the user's that fire on INSERT or UPDATE of a row or statement, with how they are enabled. */
  readonly triggers: readonly { readonly name: string; readonly enabled: 'O' | 'A' }[];
  /** Rewrite rules of INSERT or UPDATE. */
  readonly rules: readonly string[];
  /** May this role alter the table? */
  readonly isOwned: boolean;
  /** And read, to see what was written. */
  readonly mayWrite: boolean;
}

/** Can rows of these columns be found in the table by its primary key? */
export const isKeyed = ({ primaryKey }: TargetTable, columns: readonly string[]): boolean =>
  primaryKey.length > 0 && primaryKey.every((column) => columns.includes(column));

/** Does it have rows, its children's not counted? */
export async function hasRows(session: Session, name: TableName): Promise<boolean> {
  const [row] = await session.query<{ hasRows: boolean }>(
    `SELECT EXISTS (SELECT FROM ONLY ${quoted(name)}) AS "hasRows"`,
  );
  return row?.hasRows ?? false;
}

/** @returns undefined when there is no relation of that name */
export async function targetTable(
  session: Session,
  name: TableName,
): Promise<TargetTable | undefined> {
  const [row] = await session.query<TargetTable>(sql, [quoted(name)]);
  return row;
}

const sql = `
  SELECT c.oid::pg_catalog.int8::pg_catalog.float8 AS oid, c.relkind,
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', a.attname,
        'type', pg_catalog.format_type(a.atttypid, -1),
        'fullType', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'isGenerated', a.attgenerated <> '',
        'isAlwaysIdentity', a.attidentity = 'a',
        'isOptional', NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '') ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'::pg_catalog.json) AS columns,
    coalesce((SELECT pg_catalog.json_agg(a.attname ORDER BY k.n)
      FROM pg_catalog.pg_constraint p
      CROSS JOIN LATERAL pg_catalog.unnest(p.conkey) WITH ORDINALITY AS k (attnum, n)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
     WHERE p.conrelid = c.oid AND p.contype = 'p'), '[]'::pg_catalog.json) AS "primaryKey",
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.n)
      FROM pg_catalog.pg_constraint p
      JOIN pg_catalog.pg_index x ON x.indexrelid = p.conindid
      CROSS JOIN LATERAL pg_catalog.unnest(x.indclass::pg_catalog.oid[]) WITH ORDINALITY AS k (opclass, n)
      JOIN pg_catalog.pg_opclass q ON q.oid = k.opclass
      JOIN pg_catalog.pg_am h ON h.oid = q.opcmethod AND h.amname = 'btree'
      JOIN pg_catalog.pg_amop m ON m.amopfamily = q.opcfamily AND m.amopstrategy = 3
       AND m.amoplefttype = q.opcintype AND m.amoprighttype = q.opcintype
      JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
      JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
     WHERE p.conrelid = c.oid AND p.contype = 'p'), '[]'::pg_catalog.json) AS "keyOperators",
    EXISTS (SELECT FROM pg_catalog.pg_constraint p
      WHERE p.conrelid = c.oid AND p.contype = 'p' AND p.condeferrable) AS "isKeyDeferrable",
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', t.tgname, 'enabled', t.tgenabled))
      FROM pg_catalog.pg_trigger t
     WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
       AND t.tgtype::pg_catalog.int4 & 20 <> 0), '[]'::pg_catalog.json) AS triggers,
    coalesce((SELECT pg_catalog.json_agg(r.rulename)
      FROM pg_catalog.pg_rewrite r
     WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3') AND r.ev_enabled IN ('O', 'A')), '[]'::pg_catalog.json) AS rules,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') AS "isOwned",
    pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
      AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AS "mayWrite"
    FROM pg_catalog.pg_class c
   WHERE c.oid = pg_catalog.to_regclass($1)`;
