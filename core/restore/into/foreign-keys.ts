/**
 * Foreign keys of tables that this restore makes, and of others to them, after all rows are in.
 *
 * Invariant: one that rows would break is refused with its name and their number; with `allowOrphans` it is made NOT
 * VALID, so that it holds for every row from now on, and told as a warning.
 */
import { HoldfastError } from '../../contract/errors.ts';
import type { Warning } from '../../contract/manifest.ts';
import { sqlstateOf } from '../../postgres/connect-errors.ts';
import type { Session } from '../../postgres/session.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { countUnmatched, foreignKey } from './count-rows.ts';
import { runEntry } from './create-tables.ts';
import { shown, type TableName } from './placing.ts';
import { databaseErrorOf, foreignKeyViolation, orphans } from './row-errors.ts';
import { alteredBy, constraintOf, plainName } from './spelled-names.ts';
import { targetTable } from './target-table.ts';

const undefinedTable = '42P01';

/** @throws OrphanedRowsError, RestoreStatementError */
export async function addForeignKeys(
  session: Session,
  entries: readonly SchemaEntry[],
  allowOrphans: boolean,
): Promise<Warning[]> {
  const warnings: Warning[] = [];
  for (const entry of entries) {
    await session.query('SAVEPOINT foreign_key');
    try {
      await runEntry(session, entry);
    } catch (error) {
      const sqlstate = sqlstateOf(error);
      if (sqlstate !== foreignKeyViolation && sqlstate !== undefinedTable) throw error;
      await session.query('ROLLBACK TO SAVEPOINT foreign_key');
      const child = plainName(alteredBy(entry) ?? '');
      const name = constraintOf(entry) ?? entry.name;
      const isMissing = sqlstate === undefinedTable;
      const warn = isMissing ? leaveOut : addNotValid;
      warnings.push(await warn(session, entry, { child, name, allowOrphans, error }));
    }
  }
  return warnings;
}

interface Broken {
  readonly child: TableName;
  readonly name: string;
  readonly allowOrphans: boolean;
  readonly error: unknown;
}

async function leaveOut(
  _session: Session,
  _entry: SchemaEntry,
  { child, name, allowOrphans, error }: Broken,
): Promise<Warning> {
  const message = `The foreign key ${name} of ${shown(child)} refers to a table that is not there (${databaseErrorOf(error)?.message}).`;
  if (!allowOrphans) {
    throw new HoldfastError('OrphanedRowsError', message, {
      evidence: { table: shown(child), constraint: name },
    });
  }
  return {
    code: 'foreign-key-left-out',
    message: `${message} It was left out.`,
    hint: 'Restore that table too, then add the foreign key.',
  };
}

async function addNotValid(
  session: Session,
  entry: SchemaEntry,
  { child, name, allowOrphans }: Broken,
): Promise<Warning> {
  const statements = entry.statements.map((one) =>
    constraintOf({ ...entry, statements: [one] }) === undefined ? one : `${one} NOT VALID`,
  );
  await runEntry(session, { ...entry, statements });
  const oid = (await targetTable(session, child))?.oid;
  const key = oid === undefined ? undefined : await foreignKey(session, oid, name);
  const count = key && (await countUnmatched(session, child, key));
  const about = { table: shown(child), parent: key?.parentTable, constraint: name, count };
  const failure = orphans(about, false);
  if (!allowOrphans) throw failure;
  return {
    code: 'foreign-key-not-valid',
    message: `${failure.message} It was made NOT VALID: it holds for new rows only.`,
    hint: 'When the missing rows are there: ALTER TABLE … VALIDATE CONSTRAINT.',
  };
}
