/**
 * Mode `into`, before the rows: a staging table per chosen table, which LoadUnit fills and CompareUnit compares with the
 * backup. What is missing in the target is made once for trial, so that what cannot be made is known before rows are read.
 *
 * Invariants: nothing outside of the bookkeeping schema stays changed; staging columns are texts as COPY writes them, so
 * that a type that the target lacks does not matter yet. Only binary COPY needs columns of the very types.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { endPredecessors } from '../../postgres/end-predecessors.ts';
import type { Session } from '../../postgres/session.ts';
import { identifier } from '../../schema/sql-text.ts';
import { manifestOf } from '../definitions.ts';
import { openTarget } from '../target-session.ts';
import { createBeforeRows } from './create-tables.ts';
import { type Placing, shown, stagingOf } from './placing.ts';
import { type MergePlan, planMerge } from './plan-merge.ts';
import { targetTable } from './target-table.ts';

const what = 'into-prepare';

/** @throws UsageError, RestoreStatementError, PatternMatchesNothingError */
export async function prepareInto(
  deps: Deps,
  run: RestoreRun,
): Promise<{ statements: number; tables: number }> {
  const manifest = await manifestOf(deps, run);
  await using session = await openTarget(deps, run, what);
  await endPredecessors(session, applicationNameOf(run.runId, what));
  const plan = await planMerge(deps, run, manifest, session);
  const binary = await rehearse(session, plan);
  for (const { index, table } of plan.placings) {
    const types = binary.get(index);
    const columns = table.columns.map(
      (column) => `${identifier(column)} ${types?.get(column) ?? 'pg_catalog.text'}`,
    );
    // Not logged: should the server crash its rows are gone, which the merge notices.
    await session.query(
      `CREATE UNLOGGED TABLE IF NOT EXISTS ${stagingOf(run, index)} (${columns.join(', ')})`,
    );
  }
  const { before } = plan.definitions;
  return {
    statements: before.reduce((sum, { statements }) => sum + statements.length, 0),
    tables: plan.placings.length,
  };
}

/** @returns the types of the columns of those tables whose rows are binary, by index of the table */
async function rehearse(
  session: Session,
  plan: MergePlan,
): Promise<Map<number, Map<string, string>>> {
  const types = new Map<number, Map<string, string>>();
  await session.query('BEGIN');
  try {
    await createBeforeRows(session, plan);
    for (const placing of plan.placings) {
      if (placing.table.format === 'binary') {
        types.set(placing.index, await typesOf(session, placing));
      }
    }
  } finally {
    await session.query('ROLLBACK').catch(() => session.destroy());
  }
  return types;
}

async function typesOf(session: Session, { target }: Placing): Promise<Map<string, string>> {
  const found = await targetTable(session, target);
  if (found === undefined) {
    throw new HoldfastError('InternalError', `Table ${shown(target)} was not made.`);
  }
  return new Map(found.columns.map(({ name, fullType }) => [name, fullType]));
}
