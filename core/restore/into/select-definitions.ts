/**
 * Which definitions of the backup bring back tables that are missing: the tables themselves with all that hangs on them,
 * and what they need and the target lacks.
 *
 * Invariants: the order is pg_dump's, in which each definition finds what it needs; nothing that the target has is made
 * again. A partition of a partitioned table that is there is attached after its own indexes are built, so that these
 * become parts of the partitioned ones.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { belongsTo, hasFallen, isAbout, isIndexAttach } from './definition-parts.ts';
import { missingTables } from './missing-tables.ts';
import { neededBy } from './needed-definitions.ts';
import { shown, type TableName } from './placing.ts';
import type { Presence } from './presence.ts';
import { attachmentOf, namesIn, plainName, publishedBy, spelledBy } from './spelled-names.ts';

export interface BackupDefinitions {
  readonly pre: readonly SchemaEntry[];
  readonly post: readonly SchemaEntry[];
}

export interface SelectedDefinitions {
  /** Before the rows. */
  readonly before: readonly SchemaEntry[];
  /** After the rows: keys, indexes, triggers, policies. */
  readonly after: readonly SchemaEntry[];
  /** Partitions to be attached to tables that were there, after these. */
  readonly attach: readonly SchemaEntry[];
  /** Last: those of the missing tables, and those of others that fell together with them. */
  readonly foreignKeys: readonly SchemaEntry[];
  /** All tables that are made, also parents that were not chosen. */
  readonly tables: readonly TableName[];
  /** Sequences that are made. */
  readonly sequences: readonly TableName[];
  /** Views on them that the target lacks, for people: a restore of tables makes none. */
  readonly missingViews: readonly string[];
  /** `shop.orders in sales`, for people: a restore of tables publishes none. */
  readonly publications: readonly string[];
}

/** @throws UsageError when the backup has no definition of a missing table (an extension's) */
export function selectDefinitions(
  { pre, post }: BackupDefinitions,
  missing: readonly TableName[],
  has: Presence,
): SelectedDefinitions {
  const tables = missingTables(pre, missing, has);
  const ofTables = [...pre, ...post].filter((entry) => belongsTo(entry, tables));
  const { needed, sequences } = neededBy(pre, ofTables, tables, has);
  const spelled = new Set([
    ...tables,
    ...sequences,
    ...needed.flatMap((entry) => spelledBy(entry) ?? []),
  ]);
  const chosen = new Set<SchemaEntry>([...ofTables, ...needed]);
  for (const entry of [...pre, ...post]) {
    if (chosen.has(entry)) continue;
    if (isAbout(entry, spelled, chosen) || isIndexAttach(entry, chosen, tables, pre, has)) {
      chosen.add(entry);
    }
  }
  const schemas = new Set([...chosen].flatMap(({ schema }) => schema ?? []));
  const isSchema = ({ type, name }: SchemaEntry) =>
    type === 'SCHEMA' && schemas.has(name) && !has.schema(name);
  const schemaEntries = pre.filter(isSchema);
  for (const entry of pre) {
    const isOfSchema = schemaEntries.some(({ name }) => entry.name === `SCHEMA ${name}`);
    if (isSchema(entry) || (isOfSchema && entry.schema === null)) chosen.add(entry);
  }
  const isLateAttach = (entry: SchemaEntry) => {
    const attachment = attachmentOf(entry);
    return attachment !== undefined && !tables.has(attachment.parent);
  };
  return {
    before: pre.filter((entry) => chosen.has(entry) && !isLateAttach(entry)),
    after: post.filter((entry) => chosen.has(entry) && entry.type !== 'FK CONSTRAINT'),
    attach: pre.filter((entry) => chosen.has(entry) && isLateAttach(entry)),
    foreignKeys: post.filter(
      (entry) =>
        entry.type === 'FK CONSTRAINT' && (chosen.has(entry) || hasFallen(entry, tables, has)),
    ),
    tables: [...tables].map(plainName),
    sequences: sequences.map(plainName),
    missingViews: missingViews(pre, tables, has),
    publications: publicationsOf(post, tables),
  };
}

/** DROP … CASCADE takes them along. */
function missingViews(
  pre: readonly SchemaEntry[],
  tables: ReadonlySet<string>,
  has: Presence,
): string[] {
  return pre
    .filter(({ type }) => type === 'VIEW' || type === 'MATERIALIZED VIEW')
    .filter(({ statements }) => [...namesIn(statements)].some((name) => tables.has(name)))
    .map(({ schema, name }) => ({ schema: schema ?? '', name }))
    .filter((view) => !has.relation(view))
    .map(shown);
}

function publicationsOf(post: readonly SchemaEntry[], tables: ReadonlySet<string>): string[] {
  return post.flatMap((entry) => {
    const published = publishedBy(entry);
    if (published === undefined || !tables.has(published.table)) return [];
    return `${shown(plainName(published.table))} in ${published.publication}`;
  });
}
