/**
 * Where foreign keys go: added NOT VALID one after the other in pg_dump's order, which cannot deadlock, and validated in
 * parallel, which takes only locks that go together.
 *
 * Those of partitioned tables are added whole: NOT VALID is refused there before 18, or leaves the keys of the partitions
 * behind. One that was NOT VALID (or is not enforced) at the source stays so.
 */
import { draftOf } from './draft.ts';
import { type EntryGroup, restOfGroup, wholeGroup } from './entry-groups.ts';
import { qualified, readConstraint, readReferenced } from './read-statement.ts';
import type { SortContext } from './sorted-entries.ts';

const quick = / NOT VALID$| NOT ENFORCED$/;

export function placeForeignKey({ sorted, facts }: SortContext, group: EntryGroup): void {
  const read = readConstraint(group.first);
  const referenced = read && readReferenced(read.definition);
  if (read === undefined || referenced === undefined || quick.test(read.definition)) {
    sorted.definitions.push(...wholeGroup(group));
    return;
  }
  const [table, other] = [qualified(read.table), qualified(referenced)];
  const object = { schema: read.table.schema, name: read.name };
  const label = `foreign key ${read.table.schema}.${read.table.name} ${read.name}`;
  const whole = draftOf('foreign-key', group, label, object, read.table.name);
  if (facts.partitioned.has(table) || facts.partitioned.has(other)) {
    const locks = [table, other].map((one) => facts.rootOf.get(one) ?? one);
    sorted.wholeForeignKeys.push({ table, locks, draft: whole });
    sorted.lastDefinitions.push(...restOfGroup(group));
    return;
  }
  sorted.definitions.push(
    { label: group.label, statements: [group.formed('not valid'), ...group.trailing] },
    ...group.followers,
  );
  const validation = `ALTER TABLE ONLY ${read.tableText} VALIDATE CONSTRAINT ${read.nameText}`;
  sorted.validations.push({ table, draft: { ...whole, statements: [validation] } });
}
