/** Which options pg_dump gets. Option and value are one word, so that no pattern can be taken for an option. */
import type { Filters } from '../contract/filters.ts';

export type DumpedSection = 'pre-data' | 'post-data';

export interface PgDumpRequest {
  readonly section: DumpedSection;
  readonly filters: Filters;
  /** As from pg_export_snapshot(); absent: pg_dump takes its own. */
  readonly snapshotName?: string;
  readonly lockWaitMs: number;
  /** Letters and digits; marks the `\restrict` lines that are pg_dump's own. */
  readonly restrictKey: string;
}

/** A pattern with a wildcard matches what belongs to the system too, which nobody can restore. */
const systemSchemas = ['pg_catalog', 'information_schema', 'pg_toast'];
const systemTables = systemSchemas.map((schema) => `${schema}.*`);

export function pgDumpArgs(request: PgDumpRequest): string[] {
  const { filters } = request;
  const each = (option: string, patterns: readonly string[]) =>
    patterns.map((pattern) => `--${option}=${pattern}`);
  return [
    `--section=${request.section}`,
    '--encoding=UTF8',
    // Large objects, with owner, ACL and comment, are units of the dump.
    '--no-large-objects',
    '--no-statistics',
    '--no-password',
    '--strict-names',
    `--lock-wait-timeout=${request.lockWaitMs}`,
    `--restrict-key=${request.restrictKey}`,
    ...(request.snapshotName === undefined ? [] : [`--snapshot=${request.snapshotName}`]),
    ...(filters.sections === 'schema' ? ['--schema-only'] : []),
    ...each('schema', filters.schemas),
    ...each('exclude-schema', filters.excludeSchemas),
    ...(filters.schemas.length === 0 ? [] : each('exclude-schema', systemSchemas)),
    ...each('table', filters.tables),
    ...each('exclude-table', filters.excludeTables),
    ...(filters.tables.length === 0 ? [] : each('exclude-table', systemTables)),
    // Of the schema it only concerns REFRESH MATERIALIZED VIEW.
    ...each('exclude-table-data', filters.excludeTableData),
  ];
}
