/**
 * Sorts post-data by when and how each entry is built.
 *
 * Invariants: every statement of every entry is in exactly one place; entries of one place keep pg_dump's order.
 */
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { draftOf } from './draft.ts';
import { type EntryGroup, groupEntries, wholeGroup } from './entry-groups.ts';
import { placeForeignKey } from './place-foreign-key.ts';
import { placeConstraint, placeIndex } from './place-index.ts';
import { mentionOf, readMaterializedView } from './read-statement.ts';
import { nothingSorted, type SortContext, type SortedEntries } from './sorted-entries.ts';

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

export function sortEntries(
  entries: readonly SchemaEntry[],
  given: Omit<SortContext, 'sorted'>,
): SortedEntries {
  const context: SortContext = { ...given, sorted: nothingSorted() };
  /** Mentions of what post-data itself makes. */
  const late: RegExp[] = [];
  for (const group of groupEntries(entries)) {
    const { entry, first } = group;
    const isLate = late.some((mention) => mention.test(first));
    if (!usualTypes.has(entry.type) && entry.schema !== null) {
      late.push(mentionOf({ schema: entry.schema, name: entry.name.replace(/\(.*$/s, '') }));
    }
    place(context, group, isLate);
  }
  return context.sorted;
}

function place(context: SortContext, group: EntryGroup, isLate: boolean): void {
  const { sorted } = context;
  const { entry, label, first } = group;
  if (/^CREATE (OR REPLACE |MATERIALIZED )?VIEW /.test(first)) sorted.hasLateViews = true;
  if (entry.type === 'INDEX') placeIndex(context, group, isLate);
  else if (entry.type === 'FK CONSTRAINT') placeForeignKey(context, group);
  else if (entry.type === 'CONSTRAINT' || entry.type === 'CHECK CONSTRAINT') {
    placeConstraint(context, group, isLate);
  } else if (entry.type === 'MATERIALIZED VIEW DATA') {
    const view = readMaterializedView(first);
    const what = view === undefined ? label : `materialized view ${view.schema}.${view.name}`;
    sorted.refreshes.push({ view, draft: draftOf('refresh', group, what, view) });
  } else if (entry.type === 'EVENT TRIGGER') sorted.eventTriggers.push(...wholeGroup(group));
  else if (lastTypes.has(entry.type)) sorted.lastDefinitions.push(...wholeGroup(group));
  else sorted.definitions.push(...wholeGroup(group));
}
