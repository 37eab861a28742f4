/**
 * A restore that did its cutover and was killed, or failed, before it could say so.
 *
 * Invariant: it has succeeded, whatever ended it: clients work in what it restored. Once that is written down nobody goes
 * on with it, and nothing of it is taken away.
 */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import type { Session } from '../postgres/session.ts';
import { readRestoreOutcome } from '../report/outcome.ts';
import { type WriteReportDeps, writeRestoreReport } from '../report/write-report.ts';
import {
  type CutoverBegun,
  type CutoverDone,
  cutoverDoneSchema,
  databaseWithOid,
} from './cutover/database-facts.ts';
import { committedMerge } from './into/merge-done.ts';
import { readFact, writeFact } from './restore-run.ts';

/** @returns the fact `cutover`, written when the restored database, by its oid, has its final name; null when not */
export async function noteIfExchanged(
  { workspace }: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  begun: CutoverBegun | undefined,
  session: Session,
): Promise<CutoverDone | null> {
  const now = begun && (await databaseWithOid(session, begun.work.oid));
  if (now?.name !== run.finalDatabase || now.name === run.workDatabase) return null;
  return writeFact(workspace, run.runId, 'cutover', cutoverDoneSchema, {
    database: run.finalDatabase,
    previousDatabase: begun?.previous == null ? null : run.previousDatabase,
  });
}

/** @returns the fact `cutover`, written when the merge of mode `into` was committed; null when not */
export async function noteIfMerged(
  deps: Pick<Deps, 'workspace'>,
  run: RestoreRun,
  session: Session,
): Promise<CutoverDone | null> {
  const merged = await committedMerge(deps, run, session);
  if (merged === undefined) return null;
  const done = { database: run.finalDatabase, previousDatabase: null, merged };
  return writeFact(deps.workspace, run.runId, 'cutover', cutoverDoneSchema, done);
}

export const cutoverOf = (
  { workspace }: Pick<Deps, 'workspace'>,
  { runId }: RestoreRun,
): Promise<CutoverDone | undefined> => readFact(workspace, runId, 'cutover', cutoverDoneSchema);

/** Writes report and outcome of a run that has done its cutover and has none. Safe to call again. */
export async function concludeDone(deps: WriteReportDeps, run: RestoreRun): Promise<void> {
  if ((await cutoverOf(deps, run)) === undefined) return;
  if ((await readRestoreOutcome(deps, run.runId)) !== undefined) return;
  await writeRestoreReport(deps, run, { state: 'succeeded' });
}

/** In words for whoever came to take it back. */
export function wayBackOf({ runId }: RestoreRun, { database, previousDatabase }: CutoverDone) {
  const done = `Database ${JSON.stringify(database)} has what restore ${runId} brought: its cutover was done.`;
  return previousDatabase === null ? done : `${done} \`holdfast rollback ${runId}\` takes it back.`;
}
