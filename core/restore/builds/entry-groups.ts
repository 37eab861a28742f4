/**
 * Entries of post-data, each with the comments and labels that pg_dump wrote after it.
 *
 * Invariant: `first` is there to be read; what goes into a build are settings and references.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { isSetting } from './definition-batches.ts';
import type { Definition } from './draft.ts';
import { labelOf } from './labels.ts';
import { type Form, referenceTo } from './references.ts';

export interface EntryGroup {
  readonly entry: SchemaEntry;
  readonly label: string;
  /** `SET default_tablespace …`, for the first statement. */
  readonly settings: readonly string[];
  /** Text of the statement that the entry is named for; empty when it has none. */
  readonly first: string;
  /** Refers to it. */
  readonly at: string;
  readonly formed: (form: Form) => string;
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
      previous.followers.push({ label, statements: referencesTo(entry, index) });
      continue;
    }
    const { statements } = entry;
    const firstIndex = statements.findIndex((statement) => !isSetting(statement));
    const formed = (form: Form) => referenceTo(index, firstIndex, form);
    const references = referencesTo(entry, index).filter((one) => !isSetting(one));
    groups.push({
      entry,
      label,
      settings: statements.filter(isSetting),
      first: statements[firstIndex] ?? '',
      at: formed('as it stands'),
      formed,
      trailing: references.slice(1),
      followers: [],
    });
  }
  return groups;
}

/** Settings stay as they are: their tablespaces are those of the target. */
const referencesTo = ({ statements }: SchemaEntry, index: number): string[] =>
  statements.map((statement, at) => (isSetting(statement) ? statement : referenceTo(index, at)));

/** All of a group, as it stands in the dump. */
export const wholeGroup = ({ label, settings, first, at, trailing, followers }: EntryGroup) => [
  { label, statements: first === '' ? [] : [...settings, at, ...trailing] },
  ...followers,
];

/** What is left of a group when its first statement is a build of its own. */
export const restOfGroup = ({ label, trailing, followers }: EntryGroup): Definition[] => [
  { label, statements: trailing },
  ...followers,
];
