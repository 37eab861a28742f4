/**
 * The state Cutover: what was restored gets its final name, or its rows their place (mode `into`).
 *
 * Invariants: until its one transaction the target is as it was, and after a failure too; a second attempt, also after
 * a lost answer, finds what the first one did and does the rest. The one that was swapped away is kept, closed, with
 * its own rights and settings; those of the new one are the backup's.
 */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { taskSecondsOf } from '../run/task-time.ts';
import { runAfterHook } from './cutover/after-hook.ts';
import { type CutoverDone, cutoverDoneSchema } from './cutover/database-facts.ts';
import { takeOver } from './cutover/take-over.ts';
import { manifestOf } from './definitions.ts';
import { duringRestore } from './during-restore.ts';
import { mergeInto } from './into/merge.ts';
import { readFact, writeFact } from './restore-run.ts';
import { assertTargetLease } from './target-lease.ts';

/** The hook after a cutover that took all of the task's time: enough to restart a service, and less than kills the task. */
const leastHookMs = 30_000;

/**
 * @throws TargetInUseError with sessions on a database that is swapped and without `disconnect`; TargetExistsError;
 * mode `into`: RowConflictError, OrphanedRowsError, RestoreStatementError
 */
export async function cutover(
  deps: Deps,
  { runId }: InputOf<'Cutover'>,
): Promise<OutputOf<'Cutover'>> {
  return duringRestore(deps, runId, 'cutover', async (run, signal) => {
    const { workspace } = deps;
    const deadline = deps.now().getTime() + taskSecondsOf(deps, run.input.options) * 1000;
    const earlier = await readFact(workspace, runId, 'cutover', cutoverDoneSchema);
    const done =
      earlier ??
      (await writeFact(workspace, runId, 'cutover', cutoverDoneSchema, await act(deps, run)));
    const timeoutMs = Math.max(leastHookMs, deadline - deps.now().getTime());
    await runAfterHook(deps, run, done, { timeoutMs, signal });
    return { database: done.database, previousDatabase: done.previousDatabase };
  });
}

async function act(deps: Deps, run: RestoreRun): Promise<CutoverDone> {
  await assertTargetLease(deps, run);
  const manifest = await manifestOf(deps, run);
  return run.input.mode === 'into' ? mergeInto(deps, run, manifest) : takeOver(deps, run, manifest);
}
