/**
 * Where indexes go, and constraints that have one.
 *
 * Invariant: what takes a strong lock on a large table is not built beside the indexes of that table, so that these are
 * built side by side; indexes and constraints of a small table stay together.
 */
import { draftOf, indexDraft, smallTableBytes } from './draft.ts';
import { type EntryGroup, restOfGroup, wholeGroup } from './entry-groups.ts';
import { asIndexFirst, qualified, readConstraint, readIndex } from './read-statement.ts';
import type { SortContext } from './sorted-entries.ts';

export function placeIndex(
  { sorted, facts, bytesOf }: SortContext,
  group: EntryGroup,
  isLate: boolean,
): void {
  const read = readIndex(group.first);
  const table = read && qualified(read.table);
  // On a partitioned table it is an empty shell, to which those of the partitions are attached.
  if (read === undefined || table === undefined || facts.partitioned.has(table)) {
    sorted.definitions.push(...wholeGroup(group));
  } else if (!isLate && bytesOf(table) <= smallTableBytes) {
    addSmall({ sorted }, table, group);
  } else {
    const draft = indexDraft(group, group.at, read.index, read.table);
    (isLate ? sorted.lateIndexes : sorted.indexes).push({ table, draft });
    (isLate ? sorted.lastDefinitions : sorted.definitions).push(...restOfGroup(group));
  }
}

/** NOT VALID, or one that reads no rows. */
const quick = / NOT VALID$|^NOT NULL | NOT ENFORCED$/;

export function placeConstraint(
  { sorted, facts, bytesOf }: SortContext,
  group: EntryGroup,
  isLate: boolean,
): void {
  const read = readConstraint(group.first);
  const table = read && qualified(read.table);
  const isPlain = !isLate && read !== undefined && !quick.test(read.definition);
  if (!isPlain || table === undefined || facts.partitioned.has(table)) {
    sorted.definitions.push(...wholeGroup(group));
    return;
  }
  if (bytesOf(table) <= smallTableBytes) {
    addSmall({ sorted }, table, group);
    return;
  }
  if (asIndexFirst(read) === undefined) {
    const object = { schema: read.table.schema, name: read.name };
    const draft = draftOf('constraint', group, group.label, object, read.table.name);
    sorted.exclusive.push({ table, draft });
  } else {
    sorted.indexes.push({
      table,
      draft: indexDraft(group, group.formed('its index'), read.name, read.table),
    });
    const constraint = group.formed('using its index');
    sorted.definitions.push({ label: group.label, statements: [constraint] });
  }
  sorted.definitions.push(...restOfGroup(group));
}

function addSmall({ sorted }: Pick<SortContext, 'sorted'>, table: string, group: EntryGroup): void {
  const own = sorted.small.get(table) ?? [];
  own.push(...wholeGroup(group));
  sorted.small.set(table, own);
}
