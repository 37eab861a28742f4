/** Entries of post-data, each with the comments and labels that pg_dump wrote after it, and what is read from its text. */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { isSetting, labelOf, referenceTo } from './definition-batches.ts';
import type { Definition } from './draft.ts';

export interface EntryGroup {
  readonly entry: SchemaEntry;
  readonly label: string;
  /** `SET default_tablespace …`, for the first statement. */
  readonly settings: readonly string[];
  /** The statement that the entry is named for; empty when it has none. */
  readonly first: string;
  /** CLUSTER ON, REPLICA IDENTITY, SET STATISTICS, DISABLE TRIGGER … */
  readonly trailing: readonly string[];
  /** COMMENT and SECURITY LABEL. */
  readonly followers: readonly Definition[];
}

const followerTypes = new Set(['COMMENT', 'SECURITY LABEL']);

export function groupEntries(entries: readonly SchemaEntry[]): EntryGroup[] {
  const groups: (EntryGroup & { followers: Definition[] })[] = [];
  for (const [index, entry] of entries.entries()) {
    const label = labelOf(entry);
    const previous = groups.at(-1);
    if (followerTypes.has(entry.type) && previous !== undefined) {
      previous.followers.push({ label, statements: entry.statements });
      continue;
    }
    // Its connection string may hold a password, and the workspace is not encrypted.
    const statements =
      entry.type === 'SUBSCRIPTION' && entry.statements.length > 0
        ? [referenceTo(index)]
        : entry.statements;
    const [first = '', ...trailing] = statements.filter((statement) => !isSetting(statement));
    groups.push({
      entry,
      label,
      settings: statements.filter(isSetting),
      first,
      trailing,
      followers: [],
    });
  }
  return groups;
}

/** All of a group, as it stands in the dump. */
export const wholeGroup = ({ label, settings, first, trailing, followers }: EntryGroup) => [
  { label, statements: first === '' ? [] : [...settings, first, ...trailing] },
  ...followers,
];

/** What is left of a group when its first statement is a build of its own. */
export const restOfGroup = ({ label, trailing, followers }: EntryGroup): Definition[] => [
  { label, statements: trailing },
  ...followers,
];
