/** Makes what the plan wants made, in the caller's transaction: before the rows, and after them. */
import type { Session } from '../../postgres/session.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { statementError } from '../create/statement-error.ts';
import { shown } from './placing.ts';
import type { MergePlan } from './plan-merge.ts';

/** @throws RestoreStatementError with kind and name of what was refused, TargetFullError */
export async function createBeforeRows(session: Session, plan: MergePlan): Promise<void> {
  for (const entry of plan.definitions.before) await runEntry(session, entry);
  for (const { needs, create, placing } of plan.copies) {
    for (const entry of needs) await runEntry(session, entry);
    for (const statement of create) await run(session, statement, `TABLE ${shown(placing.target)}`);
  }
}

/** Keys, indexes, triggers, policies, rights; then the parts of partitioned tables that were there. No foreign keys. */
export async function createAfterRows(session: Session, plan: MergePlan): Promise<void> {
  for (const entry of plan.definitions.after) await runEntry(session, entry);
  for (const { keys, placing } of plan.copies) {
    for (const statement of keys) await run(session, statement, `TABLE ${shown(placing.target)}`);
  }
}

export const entryName = ({ type, schema, name }: SchemaEntry): string =>
  `${type} ${schema === null ? '' : `${schema}.`}${name}`;

/** @throws RestoreStatementError, TargetFullError */
export async function runEntry(session: Session, entry: SchemaEntry): Promise<void> {
  // An entry brings its settings along, and would leave them to the next one, which may be another than in the dump.
  await session.query('RESET default_tablespace; RESET default_table_access_method');
  for (const statement of entry.statements) await run(session, statement, entryName(entry));
}

async function run(session: Session, statement: string, what: string): Promise<void> {
  try {
    await session.query(statement);
  } catch (error) {
    throw statementError(error, what);
  }
}
