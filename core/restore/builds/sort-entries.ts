/**
 * Sorts post-data by when and how each entry is built.
 *
 * Invariants: every statement of every entry is in exactly one place; what takes a strong lock on a table is not built
 * beside the indexes of that table, so that these are built side by side; entries of one place keep pg_dump's order.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { BuildDraft, Definition } from './draft.ts';
import { smallTableBytes } from './draft.ts';
import { type EntryGroup, groupEntries, restOfGroup, wholeGroup } from './entry-groups.ts';
import {
  asIndexFirst,
  mentionOf,
  qualified,
  type RelationName,
  readConstraint,
  readIndex,
  readMaterializedView,
  readReferenced,
} from './read-statement.ts';
import type { TargetFacts } from './target-facts.ts';

/** A build, and the table that it works on: key as of `qualified`. */
export interface TableDraft {
  readonly table: string;
  readonly draft: BuildDraft;
}

/** A foreign key that is added and validated at once. */
export interface WholeForeignKey extends TableDraft {
  /** Tables that it locks, roots of partitions for the partitions. */
  readonly locks: readonly string[];
}

export interface SortedEntries {
  /** Of large tables. */
  readonly indexes: TableDraft[];
  /** Table → all of its indexes and constraints. */
  readonly small: Map<string, Definition[]>;
  /** Long, and alone on their table: exclusion constraints and the like of large tables. */
  readonly exclusive: TableDraft[];
  /** In pg_dump's order. */
  readonly definitions: Definition[];
  /** Indexes of what is only made among the definitions. */
  readonly lateIndexes: TableDraft[];
  readonly wholeForeignKeys: WholeForeignKey[];
  readonly validations: TableDraft[];
  /** Policies, publications and the like, and what belongs to builds after the definitions. */
  readonly lastDefinitions: Definition[];
  readonly refreshes: { readonly view: RelationName | undefined; readonly draft: BuildDraft }[];
  /** Does post-data itself make or change views? Then the catalogs do not yet know which view reads which. */
  hasLateViews: boolean;
  readonly eventTriggers: Definition[];
}

/** What pg_dump always has in post-data; anything else was moved there because it needs a constraint. */
const usualTypes = new Set([
  ...['CONSTRAINT', 'CHECK CONSTRAINT', 'FK CONSTRAINT', 'INDEX', 'INDEX ATTACH', 'STATISTICS'],
  ...['RULE', 'TRIGGER', 'POLICY', 'ROW SECURITY', 'PUBLICATION', 'PUBLICATION TABLE'],
  ...['PUBLICATION TABLES IN SCHEMA', 'SUBSCRIPTION', 'SUBSCRIPTION TABLE', 'DEFAULT ACL', 'ACL'],
  ...['EVENT TRIGGER', 'MATERIALIZED VIEW DATA', 'COMMENT', 'SECURITY LABEL'],
]);

/** After the foreign keys are validated, as in pg_dump: a policy would make the validation look at each row by itself. */
const lastTypes = new Set([
  ...['POLICY', 'ROW SECURITY', 'PUBLICATION', 'PUBLICATION TABLE', 'PUBLICATION TABLES IN SCHEMA'],
  ...['SUBSCRIPTION', 'SUBSCRIPTION TABLE', 'DEFAULT ACL'],
]);

/**
 * @param bytesOf plain bytes of a table's rows, by key; 0 for what has none of its own
 */
export function sortEntries(
  entries: readonly SchemaEntry[],
  facts: TargetFacts,
  bytesOf: (table: string) => number,
): SortedEntries {
  const sorted: SortedEntries = {
    indexes: [],
    small: new Map(),
    exclusive: [],
    definitions: [],
    lateIndexes: [],
    wholeForeignKeys: [],
    validations: [],
    lastDefinitions: [],
    refreshes: [],
    hasLateViews: false,
    eventTriggers: [],
  };
  /** Mentions of what post-data makes before. */
  const late: RegExp[] = [];
  const place = (group: EntryGroup): void => {
    const { entry, label, first } = group;
    const isLate = late.some((mention) => mention.test(first));
    if (!usualTypes.has(entry.type) && entry.schema !== null) {
      late.push(mentionOf({ schema: entry.schema, name: entry.name.replace(/\(.*$/s, '') }));
    }
    if (/^CREATE (OR REPLACE |MATERIALIZED )?VIEW /.test(first)) sorted.hasLateViews = true;
    if (entry.type === 'EVENT TRIGGER') sorted.eventTriggers.push(...wholeGroup(group));
    else if (entry.type === 'MATERIALIZED VIEW DATA') {
      const view = readMaterializedView(first);
      sorted.refreshes.push({
        view,
        draft: draftOf('refresh', group, viewLabel(view, label), view),
      });
    } else if (entry.type === 'INDEX') placeIndex(group, isLate);
    else if (entry.type === 'CONSTRAINT' || entry.type === 'CHECK CONSTRAINT')
      placeConstraint(group, isLate);
    else if (entry.type === 'FK CONSTRAINT') placeForeignKey(group);
    else
      (lastTypes.has(entry.type) ? sorted.lastDefinitions : sorted.definitions).push(
        ...wholeGroup(group),
      );
  };

  const addSmall = (table: string, group: EntryGroup): void => {
    const own = sorted.small.get(table) ?? [];
    own.push(...wholeGroup(group));
    sorted.small.set(table, own);
  };

  const placeIndex = (group: EntryGroup, isLate: boolean): void => {
    const read = readIndex(group.first);
    const table = read && qualified(read.table);
    // On a partitioned table it is an empty shell, to which those of the partitions are attached.
    if (read === undefined || table === undefined || facts.partitioned.has(table)) {
      sorted.definitions.push(...wholeGroup(group));
    } else if (isLate) {
      sorted.lateIndexes.push({
        table,
        draft: indexDraft(group, group.first, read.index, read.table),
      });
      sorted.lastDefinitions.push(...restOfGroup(group));
    } else if (bytesOf(table) <= smallTableBytes) addSmall(table, group);
    else {
      sorted.indexes.push({ table, draft: indexDraft(group, group.first, read.index, read.table) });
      sorted.definitions.push(...restOfGroup(group));
    }
  };

  const placeConstraint = (group: EntryGroup, isLate: boolean): void => {
    const read = readConstraint(group.first);
    const table = read && qualified(read.table);
    const isQuick = / NOT VALID$|^NOT NULL | NOT ENFORCED$/.test(read?.definition ?? '');
    if (read === undefined || table === undefined || isLate || isQuick) {
      sorted.definitions.push(...wholeGroup(group));
    } else if (facts.partitioned.has(table)) sorted.definitions.push(...wholeGroup(group));
    else if (bytesOf(table) <= smallTableBytes) addSmall(table, group);
    else {
      const steps = asIndexFirst(read);
      if (steps === undefined) {
        const object = { schema: read.table.schema, name: read.name };
        sorted.exclusive.push({
          table,
          draft: draftOf('constraint', group, group.label, object, read.table.name),
        });
        sorted.definitions.push(...restOfGroup(group));
      } else {
        sorted.indexes.push({
          table,
          draft: indexDraft(group, steps.index, read.name, read.table),
        });
        sorted.definitions.push(
          { label: group.label, statements: [steps.constraint] },
          ...restOfGroup(group),
        );
      }
    }
  };

  const placeForeignKey = (group: EntryGroup): void => {
    const read = readConstraint(group.first);
    const referenced = read && readReferenced(read.definition);
    const isQuick = / NOT VALID$| NOT ENFORCED$/.test(read?.definition ?? '');
    if (read === undefined || referenced === undefined || isQuick) {
      sorted.definitions.push(...wholeGroup(group));
      return;
    }
    const [table, other] = [qualified(read.table), qualified(referenced)];
    const object = { schema: read.table.schema, name: read.name };
    if (facts.partitioned.has(table) || facts.partitioned.has(other)) {
      const rootOf = (one: string) => facts.rootOf.get(one) ?? one;
      sorted.wholeForeignKeys.push({
        table,
        locks: [rootOf(table), rootOf(other)],
        draft: draftOf(
          'foreign-key',
          group,
          `foreign key ${read.table.schema}.${read.name}`,
          object,
          read.table.name,
        ),
      });
      sorted.lastDefinitions.push(...restOfGroup(group));
      return;
    }
    sorted.definitions.push(
      { label: group.label, statements: [`${group.first} NOT VALID`, ...group.trailing] },
      ...group.followers,
    );
    sorted.validations.push({
      table,
      draft: {
        kind: 'foreign-key',
        label: `foreign key ${read.table.schema}.${read.table.name} ${read.name}`,
        object: { ...object, table: read.table.name },
        statements: [`ALTER TABLE ONLY ${read.tableText} VALIDATE CONSTRAINT ${read.nameText}`],
      },
    });
  };

  for (const group of groupEntries(entries)) place(group);
  return sorted;
}

const viewLabel = (view: RelationName | undefined, otherwise: string): string =>
  view === undefined ? otherwise : `materialized view ${view.schema}.${view.name}`;

const draftOf = (
  kind: BuildDraft['kind'],
  { settings, first }: EntryGroup,
  label: string,
  object: RelationName | undefined,
  table: string | null = null,
): BuildDraft => ({
  kind,
  label,
  object: object === undefined ? null : { ...object, table },
  statements: [...settings, first],
});

const indexDraft = (
  { settings }: EntryGroup,
  statement: string,
  index: string,
  table: RelationName,
): BuildDraft => ({
  kind: 'index',
  label: `index ${table.schema}.${index}`,
  object: { schema: table.schema, name: index, table: table.name },
  statements: [...settings, statement],
});
