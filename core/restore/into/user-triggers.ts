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
import { type TargetTable, targetTable } from './target-table.ts';

type Table = Pick<TargetTable, 'triggers'>;

export interface Written {
  readonly name: TableName;
  readonly table: Table;
}

/**
 * Tables whose triggers would fire; as they are before any was disabled.
 *
 * @param places that rows are written into: through a partitioned table they come into any partition of it
 */
export async function writtenTables(
  session: Session,
  places: readonly TableName[],
): Promise<Written[]> {
  const names = await session.query<TableName>(
    `SELECT DISTINCT n.nspname AS schema, c.relname AS name
       FROM pg_catalog.unnest($1::pg_catalog.text[]) AS place (name)
       CROSS JOIN LATERAL (
         SELECT pg_catalog.to_regclass(place.name)::pg_catalog.oid AS oid
          UNION SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(place.name))) AS part
       JOIN pg_catalog.pg_class c ON c.oid = part.oid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      ORDER BY 1, 2`,
    [places.map(quoted)],
  );
  const written: Written[] = [];
  for (const name of names) {
    const table = await targetTable(session, name);
    if (table !== undefined) written.push({ name, table });
  }
  return written;
}

export async function disableTriggers(session: Session, { name, table }: Written): Promise<void> {
  for (const trigger of table.triggers) {
    await session.query(
      `ALTER TABLE ONLY ${quoted(name)} DISABLE TRIGGER ${identifier(trigger.name)}`,
    );
  }
}

/** As they were. ONLY: each partition has its own state. */
export async function enableTriggers(session: Session, { name, table }: Written): Promise<void> {
  for (const { name: trigger, enabled } of table.triggers) {
    const how = enabled === 'A' ? 'ENABLE ALWAYS' : 'ENABLE';
    await session.query(`ALTER TABLE ONLY ${quoted(name)} ${how} TRIGGER ${identifier(trigger)}`);
  }
}
