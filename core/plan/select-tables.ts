/**
 * Which tables belong to a backup: what `pg_dump -n/-N/-t/-T` would take, as a list for locking and planning.
 *
 * Invariant: exclusion wins over inclusion; with --table, --schema and --exclude-schema say nothing about tables; tables
 * of an extension belong to it and are not in the list, except its configuration tables.
 */
import type { Filters } from '../contract/filters.ts';
import { extensionMembersSql } from '../inventory/extension-members.ts';
import type { Session } from '../postgres/session.ts';
import { isUserSchema, type MatchedOids, matchPatterns } from './match-patterns.ts';

export interface SelectedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** r: rows of its own; p: partitioned, without rows of its own. */
  readonly relkind: 'r' | 'p';
  /** The extension of which this is a configuration table. */
  readonly extension: string | null;
  /** Which rows of a configuration table are the user's, as SQL `WHERE …`; null: all. */
  readonly where: string | null;
  /** Why its rows are not in the backup although its definition is. */
  readonly dataExcluded: 'filter' | 'schema-only' | null;
}

/** Neither schemas nor tables are chosen: everything that is not excluded. */
export const includesEverything = (filters: Filters): boolean =>
  filters.schemas.length === 0 && filters.tables.length === 0;

/** As pg_dump: large objects are data that no schema or table pattern can choose. */
export const takesLargeObjects = (filters: Filters): boolean =>
  filters.sections !== 'schema' && includesEverything(filters);

interface CandidateRow {
  oid: number;
  schema: string;
  schemaOid: number;
  isUserSchema: boolean;
  isExtensionSchema: boolean;
  name: string;
  relkind: 'r' | 'p';
  extension: string | null;
  isConfiguration: boolean;
  where: string | null;
}

/**
 * Ordinary and partitioned tables of the backup, by oid. Reads catalogs only, with the session's current snapshot.
 *
 * @throws PatternMatchesNothingError, UsageError as `matchPatterns`
 */
export async function selectTables(session: Session, filters: Filters): Promise<SelectedTable[]> {
  const matched = await matchPatterns(session, filters);
  const candidates = await session.query<CandidateRow>(candidatesSql);
  return candidates
    .filter((row) =>
      row.isConfiguration
        ? takesConfiguration(row, filters, matched)
        : row.extension === null && row.isUserSchema && takesTable(row, filters, matched),
    )
    .map(({ oid, schema, name, relkind, extension, where }) => ({
      oid,
      schema,
      name,
      relkind,
      extension,
      where: where === null || where.trim() === '' ? null : where,
      dataExcluded:
        filters.sections === 'schema'
          ? 'schema-only'
          : matched.excludeTableData.has(oid)
            ? 'filter'
            : null,
    }));
}

/** Temporary tables are in temporary schemas; toast tables have a relkind of their own. */
const candidatesSql = `
  SELECT c.oid, n.nspname AS schema, n.oid AS "schemaOid", (${isUserSchema}) AS "isUserSchema",
         EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid
                    AND d.deptype = 'e') AS "isExtensionSchema",
         c.relname AS name, c.relkind, member.extname AS extension,
         coalesce(member.configuration, false) AS "isConfiguration", member.condition AS where
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN (${extensionMembersSql}) member ON member.oid = c.oid
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
     AND (${isUserSchema} OR member.configuration)
   ORDER BY c.oid`;

export function takesTable(
  table: { readonly oid: number; readonly schemaOid: number },
  filters: Filters,
  matched: MatchedOids,
): boolean {
  if (matched.excludeTables.has(table.oid)) return false;
  if (filters.tables.length > 0) return matched.tables.has(table.oid);
  return takesSchema(table.schemaOid, filters, matched);
}

export function takesSchema(schemaOid: number, filters: Filters, matched: MatchedOids): boolean {
  if (matched.excludeSchemas.has(schemaOid)) return false;
  return filters.schemas.length === 0 || matched.schemas.has(schemaOid);
}

/** The extension itself goes along when everything does; else its table must be asked for, or its schema. */
export function takesConfiguration(
  table: { readonly oid: number; readonly schemaOid: number; readonly isExtensionSchema: boolean },
  filters: Filters,
  matched: MatchedOids,
): boolean {
  if (matched.excludeTables.has(table.oid)) return false;
  if (matched.excludeSchemas.has(table.schemaOid)) return false;
  if (includesEverything(filters)) return true;
  if (filters.tables.length > 0) return matched.tables.has(table.oid);
  return matched.schemas.has(table.schemaOid) && !table.isExtensionSchema;
}
