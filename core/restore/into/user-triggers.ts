/**
 * Triggers of the user's on tables that are there: they do not fire for restored rows, because these are to be what they
 * were, and what the triggers did then (audit rows, sums, messages) was done then.
 *
 * They are disabled in the merge's own transaction, so that no other session ever finds them disabled: it waits for the
 * end of it (SHARE ROW EXCLUSIVE: readers go on). Triggers that check foreign keys are not among them.
 */
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import { quoted, type TableName } from './placing.ts';
import type { TargetTable } from './target-table.ts';

type Table = Pick<TargetTable, 'triggers'>;

export async function disableTriggers(
  session: Session,
  name: TableName,
  table: Table,
): Promise<void> {
  for (const trigger of table.triggers) {
    await session.query(`ALTER TABLE ${quoted(name)} DISABLE TRIGGER ${identifier(trigger.name)}`);
  }
}

/** As they were. */
export async function enableTriggers(
  session: Session,
  name: TableName,
  table: Table,
): Promise<void> {
  for (const { name: trigger, enabled } of table.triggers) {
    const how = enabled === 'A' ? 'ENABLE ALWAYS' : 'ENABLE';
    await session.query(`ALTER TABLE ${quoted(name)} ${how} TRIGGER ${identifier(trigger)}`);
  }
}
