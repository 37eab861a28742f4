/**
 * After a drill: its restore, the scratch database, the report.
 *
 * Invariant: a drill that did not come to its own end proves nothing.
 */
import { unknownSource } from '../../contract/metrics.ts';
import { concludeDrill } from '../../drill/conclude-drill.ts';
import { readDrill, scratchRunId } from '../../drill/drill-record.ts';
import { dropScratch } from '../../drill/drop-scratch.ts';
import { readRestoreOutcome, recordRestoreOutcome } from '../../report/outcome.ts';
import { clearAgain } from '../../restore/fail/clear-again.ts';
import { isCleared, noteLeft } from '../../restore/fail/uncleared.ts';
import { findRestoreRun } from '../../restore/restore-run.ts';
import { askedSource } from '../asked-source.ts';
import { causeOf } from '../failure.ts';
import type { Cleaning, Found } from './cleaning.ts';
import { cleanUpRestore } from './restore.ts';

/** @throws what keeps the workspace from being read */
export async function cleanUpDrill(cleaning: Cleaning, runId: string): Promise<Found> {
  const { deps, failure, attempt, noteCleaned, isCertain, isAgain } = cleaning;
  const outcome = await readRestoreOutcome(deps, runId);
  if (outcome !== undefined) {
    if (isAgain && outcome.state === 'failed') await endRestore(cleaning, scratchRunId(runId));
    await dropLeft(cleaning, runId);
    return 'ended';
  }
  const drill = await readDrill(deps, runId);
  if (drill === undefined && !isCertain) return 'unknown';
  await endRestore(cleaning, scratchRunId(runId));
  if (drill === undefined) {
    await attempt('The outcome could not be recorded', () => recordUnplanned(cleaning, runId));
    return 'unended';
  }
  await attempt('The drill could not be concluded', async () => {
    const error = { Error: failure.error, Cause: causeOf(failure) };
    const report = await concludeDrill(deps, { runId, restore: null, error });
    const isLeft = report['database'] !== null;
    noteCleaned(`scratch database ${drill.scratch} is ${isLeft ? 'left' : 'gone'}`);
  });
  await dropLeft(cleaning, runId);
  return 'unended';
}

/** Its server may have been away when the drill, or its restore, ended. */
async function dropLeft(cleaning: Cleaning, runId: string): Promise<void> {
  const { deps, attempt, noteCleaned } = cleaning;
  const child = scratchRunId(runId);
  await clearAgain(deps, child, cleaning);
  if (await isCleared(deps, runId)) return;
  const run = await findRestoreRun(deps.workspace, child);
  if (run === undefined) return;
  const { finalDatabase } = run;
  await attempt(`The scratch database ${JSON.stringify(finalDatabase)} is left`, async () => {
    await dropScratch(deps, run, noteCleaned);
    await noteLeft(deps, runId, []);
  });
}

async function endRestore(cleaning: Cleaning, child: string): Promise<void> {
  const { deps, failure, attempt } = cleaning;
  await attempt(`The restore ${child} could not be stopped`, async () => {
    await deps.stopExecution?.('restore', child, failure.message);
    // Of its own end Step Functions tells too, if it ever began.
    await cleanUpRestore({ ...cleaning, isCertain: false }, child);
  });
}

/** Which backup it would have been, nobody knows. */
async function recordUnplanned({ deps, failure, request }: Cleaning, runId: string): Promise<void> {
  const { error: name, message, hint } = failure;
  const finishedAt = deps.now().toISOString();
  await recordRestoreOutcome(deps, {
    ...{ runId, state: 'failed', finishedAt },
    error: { name, message, hint },
  });
  const source = (await askedSource(deps, request)) ?? unknownSource;
  deps.metric?.('DrillFailed', 1, { source });
}
