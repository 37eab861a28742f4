/**
 * Where the sequences stand.
 *
 * Sequences are not MVCC: no snapshot shows an older value, and they cannot be locked. So which ones there are comes
 * from the snapshot, and their values are read after it: never behind the rows that the snapshot shows.
 * Invariant: a sequence that belongs to the backup has a value in it, or the backup ends with an error. An unlogged one
 * cannot be read on a standby: it is told with its start value, which is where a promotion would put it.
 */
import { escapeIdentifier } from 'pg';
import { HoldfastError } from '../contract/errors.ts';
import type { Filters } from '../contract/filters.ts';
import type { Inventory } from '../contract/manifest.ts';
import { isUserSchema, matchPatterns } from '../plan/match-patterns.ts';
import { takesConfiguration, takesTable } from '../plan/select-tables.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { extensionMembersSql } from './extension-members.ts';

export interface SelectedSequence {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isReadable: boolean;
  /** Its start value, when it is unlogged and the server a standby. */
  readonly resetTo: string | null;
}

interface Row extends SelectedSequence {
  schemaOid: number;
  isUserSchema: boolean;
  isExtensionSchema: boolean;
  extension: string | null;
  isConfiguration: boolean;
  ownerTable: number | null;
  isIdentity: boolean;
}

/**
 * The sequences of a backup, as pg_dump chooses them: like tables, and those that belong to a column of a chosen table.
 * A sequence whose data is excluded by pattern keeps its start value and is not in the list.
 *
 * @param tables oids of the chosen tables
 */
export async function selectSequences(
  session: Session,
  filters: Filters,
  tables: ReadonlySet<number>,
): Promise<SelectedSequence[]> {
  if (filters.sections === 'schema') return [];
  const matched = await matchPatterns(session, filters);
  const rows = await session.query<Row>(sequencesSql);
  const isTaken = (row: Row): boolean => {
    if (matched.excludeTableData.has(row.oid)) return false;
    if (row.isConfiguration) return takesConfiguration(row, filters, matched);
    if (row.extension !== null || !row.isUserSchema) return false;
    if (row.ownerTable !== null && tables.has(row.ownerTable)) return true;
    // An identity column's sequence does not exist without its table.
    return !row.isIdentity && takesTable(row, filters, matched);
  };
  return rows.filter(isTaken).map(({ oid, schema, name, isReadable, resetTo }) => ({
    ...{ oid, schema, name, isReadable, resetTo },
  }));
}

const sequencesSql = `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, n.oid AS "schemaOid",
         (${isUserSchema}) AS "isUserSchema", member.extname AS extension,
         EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                    AND d.objid = n.oid AND d.deptype = 'e') AS "isExtensionSchema",
         coalesce(member.configuration, false) AS "isConfiguration",
         owner.refobjid AS "ownerTable", coalesce(owner.deptype = 'i', false) AS "isIdentity",
         pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS "isReadable",
         CASE WHEN c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()
           THEN s.seqstart::pg_catalog.text END AS "resetTo"
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
    LEFT JOIN (${extensionMembersSql}) member ON member.oid = c.oid
    LEFT JOIN pg_catalog.pg_depend owner
           ON owner.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND owner.objid = c.oid
          AND owner.objsubid = 0 AND owner.refclassid = owner.classid AND owner.refobjsubid > 0
          AND owner.deptype IN ('a', 'i')
   WHERE c.relkind = 'S' AND c.relpersistence <> 't'
     AND (${isUserSchema} OR member.configuration)
   ORDER BY n.nspname, c.relname`;

/** Each statement locks what it reads: few enough for the smallest lock table (64 × 20), many enough to be quick. */
const sequencesPerStatement = 250;

/** @throws PermissionDeniedError naming the sequences that may not be read */
export function requireReadableSequences(
  session: Session,
  sequences: readonly SelectedSequence[],
): void {
  const hidden = sequences
    .filter(({ isReadable }) => !isReadable)
    .map(({ schema, name }) => `${schema}.${name}`);
  if (hidden.length === 0) return;
  const more = hidden.length > 20 ? ` and ${hidden.length - 20} more` : '';
  const role = session.client.user ?? '';
  throw new HoldfastError(
    'PermissionDeniedError',
    `The role ${role} may not read ${hidden.length} of ${sequences.length} sequences: ` +
      `${hidden.slice(0, 20).join(', ')}${more}.`,
    {
      hint: `GRANT pg_read_all_data TO ${escapeIdentifier(role)}; or GRANT SELECT on these sequences.`,
      evidence: { sequences: hidden },
    },
  );
}

/**
 * Must be called outside a transaction: within one, a lock on each sequence would stay until its end.
 *
 * @throws SchemaMovedError when one of them was dropped or renamed since the snapshot
 */
export async function readSequenceValues(
  session: Session,
  sequences: readonly SelectedSequence[],
): Promise<Inventory['sequences']> {
  const values: Inventory['sequences'] = [];
  for (let at = 0; at < sequences.length; at += sequencesPerStatement) {
    const batch = sequences.slice(at, at + sequencesPerStatement);
    const rows = await queryValues(session, batch);
    const found = new Map(rows.map((row) => [row.oid, row]));
    for (const { oid, schema, name, resetTo } of batch) {
      const row = resetTo === null ? found.get(oid) : { last_value: resetTo, is_called: false };
      if (row === undefined) throw moved(`The sequence ${schema}.${name} was exchanged.`);
      values.push({ schema, name, lastValue: row.last_value, isCalled: row.is_called });
    }
  }
  return values;
}

interface ValueRow {
  oid: number;
  last_value: string;
  is_called: boolean;
}

async function queryValues(
  session: Session,
  sequences: readonly SelectedSequence[],
): Promise<ValueRow[]> {
  const sql = sequences
    .filter(({ resetTo }) => resetTo === null)
    .map(
      ({ schema, name }) =>
        `SELECT tableoid AS oid, last_value, is_called
           FROM ${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
    );
  if (sql.length === 0) return [];
  try {
    return await session.query<ValueRow>(sql.join('\nUNION ALL\n'));
  } catch (error) {
    // undefined_table, invalid_schema_name; undefined_column: another kind of relation bears the name now.
    const state = sqlstateOf(error) ?? '';
    if (!['42P01', '3F000', '42703'].includes(state)) throw error;
    throw moved('A sequence was dropped or renamed', error);
  }
}

function moved(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('SchemaMovedError', `${what} while the backup was being planned.`, {
    cause,
  });
}
