/**
 * After a drill: its restore, the scratch database, the report.
 *
 * Invariant: a drill that did not come to its own end proves nothing.
 */
import { concludeDrill } from '../../drill/conclude-drill.ts';
import { readDrill, scratchRunId } from '../../drill/drill-record.ts';
import { readRestoreOutcome } from '../../report/outcome.ts';
import { causeOf } from '../failure.ts';
import type { Cleaning, Found } from './cleaning.ts';
import { cleanUpRestore } from './restore.ts';

/** @throws what keeps the workspace from being read */
export async function cleanUpDrill(cleaning: Cleaning, runId: string): Promise<Found> {
  const { deps, failure, attempt, done } = cleaning;
  if ((await readRestoreOutcome(deps, runId)) !== undefined) return 'ended';
  const drill = await readDrill(deps, runId);
  if (drill === undefined) return 'unknown';
  const child = scratchRunId(runId);
  await attempt(`The restore ${child} could not be stopped`, async () => {
    await deps.stopExecution?.('restore', child, failure.message);
    await cleanUpRestore(cleaning, child);
  });
  await attempt('The drill could not be concluded', async () => {
    const error = { Error: failure.error, Cause: causeOf(failure) };
    const report = await concludeDrill(deps, { runId, restore: null, error });
    const isLeft = report['database'] !== null;
    done(isLeft ? `${drill.scratch} is left` : `${drill.scratch} is gone, outcome recorded`);
  });
  return 'unended';
}
