/**
 * Which schemas and relations the patterns of the filters match, by oid.
 *
 * Invariant: system and temporary schemas never match, and an include pattern that matches nothing is an error:
 * a typing mistake must not make a smaller backup.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Filters } from '../contract/filters.ts';
import { sqlstateOf } from '../postgres/connect-errors.ts';
import type { Session } from '../postgres/session.ts';
import { asSaid } from '../postgres/without-rows.ts';
import { schemaPattern, tablePattern } from './patterns.ts';

export interface MatchedOids {
  readonly schemas: ReadonlySet<number>;
  readonly excludeSchemas: ReadonlySet<number>;
  /** Relations of every kind that pg_dump matches: tables, views, materialized views, sequences, foreign tables. */
  readonly tables: ReadonlySet<number>;
  readonly excludeTables: ReadonlySet<number>;
  readonly excludeTableData: ReadonlySet<number>;
}

/** SQL condition on `n` (pg_namespace). */
export const isUserSchema = `n.nspname OPERATOR(pg_catalog.!~) '^pg_'
  AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'`;

/**
 * @throws PatternMatchesNothingError for --schema and --table
 * @throws UsageError for a pattern that is no regular expression or has too many dots
 */
export async function matchPatterns(session: Session, filters: Filters): Promise<MatchedOids> {
  const isPlain = [
    filters.schemas,
    filters.excludeSchemas,
    filters.tables,
    filters.excludeTables,
    filters.excludeTableData,
  ].every((patterns) => patterns.length === 0);
  const none = new Set<number>();
  if (isPlain) {
    return {
      schemas: none,
      excludeSchemas: none,
      tables: none,
      excludeTables: none,
      excludeTableData: none,
    };
  }
  return withDefaultSearchPath(session, async () => ({
    schemas: await matchSchemas(session, filters.schemas, '--schema', true),
    excludeSchemas: await matchSchemas(session, filters.excludeSchemas, '--exclude-schema', false),
    tables: await matchTables(session, filters.tables, '--table', true),
    excludeTables: await matchTables(session, filters.excludeTables, '--exclude-table', false),
    excludeTableData: await matchTables(
      session,
      filters.excludeTableData,
      '--exclude-table-data',
      false,
    ),
  }));
}

/** An unqualified pattern means what is visible to the role by its own search path, not by our pinned, empty one. */
async function withDefaultSearchPath<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.query('RESET search_path');
  try {
    return await work();
  } finally {
    // Refused only in a failed transaction, whose end takes the RESET back by itself.
    await session.query("SET search_path = ''").catch(() => undefined);
  }
}

async function matchSchemas(
  session: Session,
  patterns: readonly string[],
  option: string,
  mustMatch: boolean,
): Promise<Set<number>> {
  const oids = new Set<number>();
  for (const pattern of patterns) {
    const rows = await queryPattern(
      session,
      `SELECT n.oid FROM pg_catalog.pg_namespace n
        WHERE n.nspname OPERATOR(pg_catalog.~) $1 COLLATE pg_catalog.default AND ${isUserSchema}`,
      [schemaPattern(pattern, option)],
      { pattern, option, mustMatch },
    );
    for (const { oid } of rows) oids.add(oid);
  }
  return oids;
}

async function matchTables(
  session: Session,
  patterns: readonly string[],
  option: string,
  mustMatch: boolean,
): Promise<Set<number>> {
  const oids = new Set<number>();
  for (const pattern of patterns) {
    const { schema, name } = tablePattern(pattern, option, session.client.database ?? '');
    const rows = await queryPattern(
      session,
      `SELECT c.oid FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
        WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r','S','v','m','f','p'])
          AND c.relname OPERATOR(pg_catalog.~) $1 COLLATE pg_catalog.default
          AND ${schema === undefined ? 'pg_catalog.pg_table_is_visible(c.oid)' : 'n.nspname OPERATOR(pg_catalog.~) $2 COLLATE pg_catalog.default'}
          AND ${isUserSchema}`,
      schema === undefined ? [name] : [name, schema],
      { pattern, option, mustMatch },
    );
    for (const { oid } of rows) oids.add(oid);
  }
  return oids;
}

async function queryPattern(
  session: Session,
  sql: string,
  values: readonly string[],
  { pattern, option, mustMatch }: { pattern: string; option: string; mustMatch: boolean },
): Promise<{ oid: number }[]> {
  let rows: { oid: number }[];
  try {
    rows = await session.query<{ oid: number }>(sql, [...values]);
  } catch (cause) {
    // 2201B: invalid_regular_expression
    if (sqlstateOf(cause) === '2201B') {
      throw new HoldfastError(
        'UsageError',
        `${option} ${JSON.stringify(pattern)} is not a pattern: ${asSaid(cause)?.message}`,
        { cause, hint: 'Put characters like ( [ + into double quotes to mean them literally.' },
      );
    }
    throw cause;
  }
  if (mustMatch && rows.length === 0) {
    throw new HoldfastError(
      'PatternMatchesNothingError',
      `${option} ${JSON.stringify(pattern)} matches nothing in this database.`,
      { evidence: { option, pattern } },
    );
  }
  return rows;
}
