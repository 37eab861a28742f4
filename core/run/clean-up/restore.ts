/**
 * After a restore: what FailRestore does, and its safety backup, which is an execution of its own and goes on without it.
 *
 * Invariant: a restore that another execution has gone on with is that one's.
 */
import { readRestoreOutcome } from '../../report/outcome.ts';
import { markRestoreAborted } from '../../restore/abort-mark.ts';
import { restoreOfExecution } from '../../restore/executions.ts';
import { clearAgain } from '../../restore/fail/clear-again.ts';
import { takeBackRestore } from '../../restore/fail.ts';
import { findRestoreRun } from '../../restore/restore-run.ts';
import { cleanUpBackup } from './backup.ts';
import { type Cleaning, type Found, passOn } from './cleaning.ts';

/** As in restore.asl.json: the name of the child is made of that of the execution. */
export const safetyRunId = (execution: string): string => `${execution}-safety`;

/** @throws what keeps the workspace from being read */
export async function cleanUpRestore(cleaning: Cleaning, execution: string): Promise<Found> {
  const { deps, failure, request, attempt, isCertain, isAgain } = cleaning;
  const { runId, execution: current } = await restoreOfExecution(deps, execution);
  const outcome = await readRestoreOutcome(deps, runId);
  if (outcome?.state === 'failed') {
    if (isAgain) await endSafetyBackup(cleaning, execution);
    // The target may have been away when it ended.
    await clearAgain(deps, runId, cleaning);
  }
  if (outcome !== undefined || current !== execution) return 'ended';
  if (!isCertain && (await findRestoreRun(deps.workspace, runId)) === undefined) return 'unknown';
  await attempt('The abort mark could not be written', () =>
    markRestoreAborted(deps, runId, failure),
  );
  await endSafetyBackup(cleaning, execution);
  passOn(cleaning, await takeBackRestore(deps, runId, failure, request));
  return 'unended';
}

async function endSafetyBackup(cleaning: Cleaning, execution: string): Promise<void> {
  const { deps, failure, attempt, noteCleaned } = cleaning;
  const child = safetyRunId(execution);
  await attempt(`The safety backup ${child} could not be stopped`, async () => {
    await deps.stopExecution?.('backup', child, failure.message);
    const found = await cleanUpBackup({ ...cleaning, isCertain: false }, child);
    if (found === 'unended') noteCleaned(`safety backup ${child} ended`);
  });
}
