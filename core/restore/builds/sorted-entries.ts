/** Post-data sorted by when and how it is built. */
import type { BuildDraft, Definition } from './draft.ts';
import type { RelationName } from './read-statement.ts';
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

/** Where an entry goes depends on its table. */
export interface SortContext {
  readonly sorted: SortedEntries;
  readonly facts: TargetFacts;
  /** Plain bytes of a table's rows, by key; 0 for what has none of its own. */
  readonly bytesOf: (table: string) => number;
}

export const nothingSorted = (): SortedEntries => ({
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
});
