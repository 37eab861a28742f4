/**
 * Which definitions of the backup bring back tables that are missing: the tables themselves with all that hangs on them,
 * and what they need and the target lacks.
 *
 * Invariants: the order is pg_dump's, in which each definition finds what it needs; nothing that the target has is made
 * again. A partition of a partitioned table that is there is attached after its own indexes are built, so that these
 * become parts of the partitioned ones.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { shown, type TableName } from './placing.ts';
import {
  alteredBy,
  attachmentOf,
  constraintOf,
  identitySequenceOf,
  namesIn,
  plainName,
  spelledBy,
} from './spelled-names.ts';

export interface BackupDefinitions {
  readonly pre: readonly SchemaEntry[];
  readonly post: readonly SchemaEntry[];
}

/** What the target has already. */
export interface Presence {
  schema(name: string): boolean;
  /** Tables, sequences, indexes, views. */
  relation(name: TableName): boolean;
  type(name: TableName): boolean;
  /** Of any arguments. */
  routine(name: TableName): boolean;
  collation(name: TableName): boolean;
  /** On this table. */
  constraint(table: TableName, name: string): boolean;
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
}

/** Kinds that stand for themselves and may be needed by a table. */
const needs = ['TYPE', 'DOMAIN', 'COLLATION', 'FUNCTION', 'SEQUENCE'];

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
  };
}

/** Spelled names: the missing ones, and those they are part of or inherit from, as far as these are missing too. */
function missingTables(
  pre: readonly SchemaEntry[],
  missing: readonly TableName[],
  has: Presence,
): Set<string> {
  const bySpelling = new Map<string, SchemaEntry>();
  for (const entry of pre) {
    const name = entry.type === 'TABLE' ? spelledBy(entry) : undefined;
    if (name !== undefined) bySpelling.set(name, entry);
  }
  const byName = new Map([...bySpelling.keys()].map((one) => [keyOf(plainName(one)), one]));
  const todo = missing.map((name) => {
    const spelled = byName.get(keyOf(name));
    if (spelled !== undefined) return spelled;
    throw new HoldfastError(
      'UsageError',
      `${shown(name)} is missing in the target, and the backup has no definition of it.`,
      { hint: 'A table of an extension comes with CREATE EXTENSION.' },
    );
  });
  const parents = new Map<string, string>();
  for (const entry of pre) {
    const attachment = attachmentOf(entry);
    if (attachment !== undefined) parents.set(attachment.partition, attachment.parent);
  }
  const tables = new Set<string>();
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (tables.has(name)) continue;
    tables.add(name);
    const inherits = /\)\s*INHERITS \((.*?)\)(?:\s|$)/s.exec(
      bySpelling.get(name)?.statements.find((one) => one.startsWith('CREATE')) ?? '',
    )?.[1];
    const above = [
      ...(parents.has(name) ? [parents.get(name) as string] : []),
      ...(inherits === undefined ? [] : namesIn([inherits])),
    ];
    todo.push(...above.filter((one) => bySpelling.has(one) && !has.relation(plainName(one))));
  }
  return tables;
}

const keyOf = ({ schema, name }: TableName) => JSON.stringify([schema, name]);

/** Definitions of the tables themselves and of what is part of them. */
function belongsTo(entry: SchemaEntry, tables: ReadonlySet<string>): boolean {
  switch (entry.type) {
    case 'TABLE':
      return tables.has(spelledBy(entry) ?? '');
    case 'TABLE ATTACH':
      return tables.has(attachmentOf(entry)?.partition ?? '');
    case 'SEQUENCE':
      // That of an identity column: `ALTER TABLE shop.orders ALTER COLUMN id ADD GENERATED …`.
      return spelledBy(entry) === undefined && tables.has(alteredBy(entry) ?? '');
    case 'SEQUENCE OWNED BY':
      return mentions(entry, tables, (name) => `OWNED BY ${name}.`);
    case 'DEFAULT':
    case 'CONSTRAINT':
    case 'CHECK CONSTRAINT':
    case 'FK CONSTRAINT':
    case 'INDEX':
    case 'ROW SECURITY':
      return tables.has(alteredBy(entry) ?? '');
    case 'TRIGGER':
    case 'POLICY':
      return mentions(entry, tables, (name) => ` ON ${name} `);
    case 'RULE':
      return mentions(entry, tables, (name) => ` TO ${name} `);
    case 'STATISTICS':
      return mentions(entry, tables, (name) => ` FROM ${name}`);
    default:
      return false;
  }
}

/** Do its statements name one of them in this way? */
const mentions = (
  { statements }: SchemaEntry,
  names: ReadonlySet<string>,
  textOf: (name: string) => string,
): boolean => {
  const text = `${statements.join(' ; ')} `.replaceAll(/\s+/g, ' ');
  return [...names].some((name) => text.includes(textOf(name.replaceAll(/\s+/g, ' '))));
};

/** Types, functions and sequences that the definitions name, and what these need in turn. */
function neededBy(
  pre: readonly SchemaEntry[],
  ofTables: readonly SchemaEntry[],
  tables: ReadonlySet<string>,
  has: Presence,
): { needed: SchemaEntry[]; sequences: string[] } {
  const needed = selectNeeded(
    pre,
    ofTables.flatMap(({ statements }) => statements),
    has,
  );
  const sequences = needed.flatMap((entry) =>
    entry.type === 'SEQUENCE' ? (spelledBy(entry) ?? []) : [],
  );
  const identities = ofTables.flatMap((entry) =>
    entry.type === 'SEQUENCE' && tables.has(alteredBy(entry) ?? '')
      ? (identitySequenceOf(entry) ?? [])
      : [],
  );
  return { needed, sequences: [...sequences, ...identities] };
}

/** In pg_dump's order: what the statements name and the target lacks, and what that needs in turn. */
export function selectNeeded(
  pre: readonly SchemaEntry[],
  statements: readonly string[],
  has: Presence,
): SchemaEntry[] {
  const candidates = new Map<string, SchemaEntry[]>();
  for (const entry of pre) {
    const name = needs.includes(entry.type) ? spelledBy(entry) : undefined;
    if (name === undefined || isPresent(entry, plainName(name), has)) continue;
    candidates.set(name, [...(candidates.get(name) ?? []), entry]);
  }
  const needed = new Set<SchemaEntry>();
  for (let texts = statements; texts.length > 0; ) {
    const found = [...namesIn(texts)]
      .flatMap((name) => candidates.get(name) ?? [])
      .filter((entry) => !needed.has(entry));
    for (const entry of found) needed.add(entry);
    texts = found.flatMap((entry) => entry.statements);
  }
  return pre.filter((entry) => needed.has(entry));
}

function isPresent({ type }: SchemaEntry, name: TableName, has: Presence): boolean {
  if (type === 'SEQUENCE') return has.relation(name);
  if (type === 'FUNCTION') return has.routine(name);
  if (type === 'COLLATION') return has.collation(name);
  return has.type(name);
}

/** Rights, comments and labels of what is made. */
function isAbout(
  entry: SchemaEntry,
  spelled: ReadonlySet<string>,
  chosen: ReadonlySet<SchemaEntry>,
): boolean {
  if (!['ACL', 'COMMENT', 'SECURITY LABEL'].includes(entry.type)) return false;
  const [kind = '', name = ''] = splitAtSpace(entry.name);
  if (['TABLE', 'SEQUENCE', 'TYPE', 'DOMAIN', 'FUNCTION', 'COLLATION'].includes(kind)) {
    return mentions(entry, spelled, (one) => ` ${one}${kind === 'FUNCTION' ? '(' : ' '}`);
  }
  if (kind === 'COLUMN') {
    return mentions(entry, spelled, (one) =>
      entry.type === 'ACL' ? ` ON TABLE ${one} ` : ` COLUMN ${one}.`,
    );
  }
  if (['CONSTRAINT', 'TRIGGER', 'POLICY', 'RULE'].includes(kind)) {
    return mentions(entry, spelled, (one) => ` ON ${one} IS `);
  }
  if (kind === 'INDEX' || kind === 'STATISTICS') {
    return [...chosen].some(
      (one) => one.type === kind && one.name === name && one.schema === entry.schema,
    );
  }
  return false;
}

const splitAtSpace = (text: string): string[] => {
  const at = text.indexOf(' ');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

/** Parts of indexes whose partitioned table is made too; else attaching the partition does it. */
function isIndexAttach(
  entry: SchemaEntry,
  chosen: ReadonlySet<SchemaEntry>,
  tables: ReadonlySet<string>,
  pre: readonly SchemaEntry[],
  has: Presence,
): boolean {
  if (entry.type !== 'INDEX ATTACH') return false;
  const isOurs = [...chosen].some(
    (one) =>
      one.schema === entry.schema &&
      (one.type === 'INDEX' ? one.name : constraintOf(one)) === entry.name,
  );
  const parent = /^ALTER INDEX (.*?) ATTACH PARTITION /s.exec(entry.statements[0] ?? '')?.[1];
  return (
    isOurs &&
    parent !== undefined &&
    !has.relation(plainName(parent)) &&
    pre.some((one) => tables.has(attachmentOf(one)?.parent ?? ''))
  );
}

/** A foreign key of a table that stands, to one that is made: DROP … CASCADE took it along. */
function hasFallen(entry: SchemaEntry, tables: ReadonlySet<string>, has: Presence): boolean {
  const child = alteredBy(entry);
  const name = constraintOf(entry);
  if (child === undefined || name === undefined || tables.has(child)) return false;
  if (!mentions(entry, tables, (one) => ` REFERENCES ${one}(`)) return false;
  return has.relation(plainName(child)) && !has.constraint(plainName(child), name);
}
