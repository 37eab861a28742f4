/**
 * Mode `into`, the cutover: everything in ONE transaction, with the end of the staging tables. Missing tables are made,
 * rows are written, keys and foreign keys are checked, sequences are put forward.
 *
 * Invariant: a target that has our bookkeeping was not changed; one that has it no more has everything, when the
 * transaction that was noted (merge-done.ts) was committed. So a second attempt, also after a lost answer to COMMIT,
 * knows what to do.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import { type Manifest, type Warning, warningSchema } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { endPredecessors } from '../../postgres/end-predecessors.ts';
import type { Session } from '../../postgres/session.ts';
import { putJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import type { CutoverDone, Merged } from '../cutover/database-facts.ts';
import { bookkeepingOwner, dropBookkeeping } from '../progress.ts';
import { openTarget } from '../target-session.ts';
import { countKept } from './check-rows.ts';
import type { KeyRows } from './count-rows.ts';
import { createAfterRows, createBeforeRows, runEntry } from './create-tables.ts';
import { addForeignKeys } from './foreign-keys.ts';
import { forwardSequences, setMadeSequences } from './forward-sequences.ts';
import { leftOutWarnings } from './left-out.ts';
import { mergedEarlier, noteMerge } from './merge-done.ts';
import { orderByReferences } from './order-tables.ts';
import { putBackOwnChecks, takeOffOwnChecks } from './own-checks.ts';
import { type Placing, quoted, shown, type TableName } from './placing.ts';
import { type MergePlan, planMerge } from './plan-merge.ts';
import { databaseErrorOf, rowError } from './row-errors.ts';
import { notKeyed, rowSource } from './row-source.ts';
import { withOwnSearchPath } from './search-path.ts';
import { hasRows, isKeyed, type TargetTable, targetTable } from './target-table.ts';
import { disableTriggers, enableTriggers, writtenTables } from './user-triggers.ts';
import { placeOf, writeRows } from './write-rows.ts';

const what = 'cutover';
/** Behind a transaction that holds a table: others queue behind us, so we give way and try again. */
const lockTimeout = '30s';

type Chosen = { readonly placing: Placing; readonly target: TargetTable; readonly isNew: boolean };

/** @throws RowConflictError, OrphanedRowsError, RestoreStatementError, RestoreDifferentError, LockNotAvailableError, UsageError */
export async function mergeInto(
  deps: Deps,
  run: RestoreRun,
  manifest: Manifest,
): Promise<CutoverDone> {
  await using session = await openTarget(deps, run, what);
  await endPredecessors(session, applicationNameOf(run.runId, what));
  const done = { database: run.finalDatabase, previousDatabase: null };
  if ((await bookkeepingOwner(session, run)) !== run.runId) {
    return { ...done, merged: await mergedEarlier(deps, run, session) };
  }
  await session.query('BEGIN');
  try {
    await session.query(`SET LOCAL lock_timeout = '${lockTimeout}'`);
    await session.query('SET CONSTRAINTS ALL DEFERRED');
    const plan = await planMerge(deps, run, manifest, session);
    const { merged, warnings } = await merge(run, manifest, session, plan);
    await dropBookkeeping(session, run);
    await putJson(
      deps.workspace,
      workspaceKeys.restoreFact(run.runId, 'warnings-into'),
      z.array(warningSchema).parse(warnings),
    );
    await noteMerge(deps, run, session, merged);
    await session.query('COMMIT');
    return { ...done, merged };
  } catch (error) {
    await session.query('ROLLBACK').catch(() => session.destroy());
    throw error;
  }
}

async function merge(
  run: RestoreRun,
  manifest: Manifest,
  session: Session,
  plan: MergePlan,
): Promise<{ merged: Merged[]; warnings: Warning[] }> {
  await createBeforeRows(session, plan);
  const chosen = await inOrder(session, await targetsOf(session, plan));
  const existing = chosen.filter(({ isNew }) => !isNew);
  const places: TableName[] = [];
  for (const { placing } of existing) places.push(placing.target, await placeOf(session, placing));
  const switched = await writtenTables(session, places);
  for (const one of switched) await disableTriggers(session, one);
  await refuseDoubles(session, existing);
  const made = [...plan.definitions.tables, ...plan.copies.map(({ placing }) => placing.target)];
  const checks = await takeOffOwnChecks(session, made);
  const written: Merged[] = [];
  for (const { placing, target, isNew } of chosen) {
    written.push(await writeRows(session, run, placing, target, isNew));
  }
  await checkDeferred(session, run, chosen);
  await withRowErrors(session, () => putBackOwnChecks(session, checks));
  await withOwnSearchPath(session, () => createAfterRows(session, plan));
  for (const entry of plan.definitions.attach) {
    await withRowErrors(session, () => runEntry(session, entry));
  }
  const { allowOrphans } = run.input.selection;
  const warnings = await addForeignKeys(session, plan.definitions.foreignKeys, allowOrphans);
  for (const one of switched) await enableTriggers(session, one);
  const merged: Merged[] = [];
  for (const [at, { placing, target }] of chosen.entries()) {
    const one = written[at] as Merged;
    const different = await countKept(session, run, placing, target, one);
    merged.push({ ...one, different });
  }
  await setMadeSequences(session, manifest, plan.definitions.sequences);
  const inPlace = chosen.filter(({ placing }) => !placing.isBeside);
  await forwardSequences(
    session,
    inPlace.map(({ target }) => target.oid),
  );
  for (const { placing } of chosen.filter(({ isNew }) => isNew)) {
    await withOwnSearchPath(session, () => session.query(`ANALYZE ${quoted(placing.target)}`));
  }
  return { merged, warnings: [...warnings, ...leftOutWarnings(plan)] };
}

/** @throws UsageError for a table with rows in which those of the backup cannot be found again */
async function refuseDoubles(session: Session, existing: readonly Chosen[]): Promise<void> {
  for (const { placing, target } of existing) {
    if (isKeyed(target, placing.table.columns)) continue;
    await session.query(`LOCK TABLE ONLY ${quoted(placing.target)} IN SHARE ROW EXCLUSIVE MODE`);
    if (await hasRows(session, placing.target)) throw notKeyed(placing);
  }
}

async function targetsOf(session: Session, plan: MergePlan): Promise<Chosen[]> {
  const chosen: Chosen[] = [];
  for (const placing of plan.placings) {
    const target = await targetTable(session, placing.target);
    if (target === undefined) {
      throw new HoldfastError('InternalError', `Table ${shown(placing.target)} is not there.`);
    }
    chosen.push({ placing, target, isNew: plan.isNew.has(placing.index) });
  }
  return chosen;
}

async function inOrder(session: Session, chosen: readonly Chosen[]): Promise<Chosen[]> {
  const order = await orderByReferences(
    session,
    chosen.map(({ target }) => target.oid),
  );
  return order.flatMap((oid) => chosen.filter(({ target }) => target.oid === oid));
}

/** What a deferred constraint has against the rows is said here and not by COMMIT. */
const checkDeferred = (session: Session, run: RestoreRun, chosen: readonly Chosen[]) =>
  withRowErrors(
    session,
    () => session.query('SET CONSTRAINTS ALL IMMEDIATE'),
    (error) => {
      const { schema, table } = databaseErrorOf(error) ?? {};
      const of = chosen.find(
        ({ placing }) => placing.target.schema === schema && placing.target.name === table,
      );
      return of && { source: rowSource(run, of.placing, of.target), targetOid: of.target.oid };
    },
  );

async function withRowErrors(
  session: Session,
  work: () => Promise<unknown>,
  rowsOf: (error: unknown) => KeyRows | undefined = () => undefined,
): Promise<void> {
  await session.query('SAVEPOINT checking');
  try {
    await work();
  } catch (error) {
    await session.query('ROLLBACK TO SAVEPOINT checking');
    throw await rowError(session, error, undefined, rowsOf(error));
  }
}
