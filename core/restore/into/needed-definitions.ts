/** What the definitions of tables need and the target lacks: types, functions, sequences, and what these need in turn. */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { TableName } from './placing.ts';
import type { Presence } from './presence.ts';
import { alteredBy, identitySequenceOf, namesIn, plainName, spelledBy } from './spelled-names.ts';

/** Kinds that stand for themselves and may be needed by a table. */
const needs = ['TYPE', 'DOMAIN', 'COLLATION', 'FUNCTION', 'SEQUENCE'];

/** Types, functions and sequences that the definitions name, and what these need in turn. */
export function neededBy(
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
