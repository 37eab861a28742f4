/**
 * After a restore: what FailRestore does, and its safety backup, which is an execution of its own and goes on without it.
 *
 * Invariant: a restore that another execution has gone on with is that one's.
 */
import { readRestoreOutcome } from '../../report/outcome.ts';
import { markRestoreAborted } from '../../restore/abort-mark.ts';
import { restoreOfExecution } from '../../restore/executions.ts';
import { failRestore } from '../../restore/fail.ts';
import { findRestoreRun } from '../../restore/restore-run.ts';
import { causeOf, failureFromCaught } from '../failure.ts';
import { cleanUpBackup, passOn } from './backup.ts';
import type { Cleaning, Found } from './cleaning.ts';

/** As in restore.asl.json: the name of the child is made of that of the execution. */
export const safetyRunId = (execution: string): string => `${execution}-safety`;

/** @throws what keeps the workspace from being read */
export async function cleanUpRestore(cleaning: Cleaning, execution: string): Promise<Found> {
  const { deps, failure, attempt, done } = cleaning;
  const { runId, execution: current } = await restoreOfExecution(deps, execution);
  if (current !== execution) return 'ended';
  if ((await readRestoreOutcome(deps, runId)) !== undefined) return 'ended';
  const run = await findRestoreRun(deps.workspace, runId);
  if (run === undefined) return 'unknown';
  await attempt('The abort mark could not be written', () =>
    markRestoreAborted(deps, runId, failure),
  );
  await endSafetyBackup(cleaning, execution);
  const told = await failRestore(deps, {
    runId,
    error: { Error: failure.error, Cause: causeOf(failure) },
  });
  done(`restore ${runId} taken back, lease on its target released, outcome recorded`);
  const { evidence } = failureFromCaught({ Error: told.error, Cause: told.cause });
  await passOn(evidence['troubles'], attempt);
  return 'unended';
}

async function endSafetyBackup(cleaning: Cleaning, execution: string): Promise<void> {
  const { deps, failure, attempt, done } = cleaning;
  const child = safetyRunId(execution);
  await attempt(`The safety backup ${child} could not be stopped`, async () => {
    await deps.stopExecution?.('backup', child, failure.message);
    if ((await cleanUpBackup(cleaning, child)) === 'unended') done(`safety backup ${child} ended`);
  });
}
