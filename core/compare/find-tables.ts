/** Looks tables up by name in a live database: what a scan must know of them before it reads. */
import { readTables, type TableFacts } from '../inventory/tables.ts';
import type { SelectedTable } from '../plan/select-tables.ts';
import type { Session } from '../postgres/session.ts';
import { requireWholeRows } from '../snapshot/table-rights.ts';

export interface WantedTable {
  readonly schema: string;
  readonly name: string;
  /** Condition of an extension's configuration table. */
  readonly where?: string | undefined;
}

export interface FoundTables {
  /** In the order of what was wanted; undefined: there is no ordinary table of that name. */
  readonly facts: readonly (TableFacts | undefined)[];
  /** oids of tables that must be read with row_security = on. */
  readonly openTables: ReadonlySet<number>;
}

/** @throws RowSecurityError when a policy would hide rows from this role */
export async function findTables(
  session: Session,
  wanted: readonly WantedTable[],
): Promise<FoundTables> {
  const rows = await session.query<{ oid: number; index: number }>(
    `SELECT c.oid, given.index::pg_catalog.int4 AS index
       FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]))
         WITH ORDINALITY AS given (schema, name, index)
       JOIN pg_catalog.pg_namespace n ON n.nspname = given.schema
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = given.name AND c.relkind = 'r'`,
    [wanted.map(({ schema }) => schema), wanted.map(({ name }) => name)],
  );
  const selected = rows.map(({ oid, index }): SelectedTable => {
    const { schema, name, where } = wanted[index - 1] as WantedTable;
    return {
      ...{ oid, schema, name, relkind: 'r', extension: null, dataExcluded: null },
      where: where ?? null,
    };
  });
  const names = selected.map(({ schema, name }) => `${schema}.${name}`);
  const openTables = new Set(await requireWholeRows(session, selected, names));
  const byOid = new Map(
    (await readTables(session, selected)).map((facts) => [facts.table.oid, facts]),
  );
  const oidOf = new Map(rows.map(({ oid, index }) => [index - 1, oid]));
  const facts = wanted.map((_, index) => byOid.get(oidOf.get(index) ?? 0));
  return { facts, openTables };
}
