/** The state ReportRestore: how the restore went, as JSON and as a page; the target is free for the next one. */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { smallOutput } from '../report/small-output.ts';
import { writeRestoreReport } from '../report/write-report.ts';
import { manifestOf } from './definitions.ts';
import { readRestoreRun } from './restore-run.ts';
import { releaseTargetLease } from './target-lease.ts';

export async function reportRestore(
  deps: Deps,
  { runId }: InputOf<'ReportRestore'>,
): Promise<OutputOf<'ReportRestore'>> {
  const run = await readRestoreRun(deps.workspace, runId);
  const report = await writeRestoreReport(deps, run, {
    state: run.input.dryRun ? 'checked' : 'succeeded',
  });
  if (await isOfAWholeDatabase(deps, run)) {
    deps.metric?.('RestoreDuration', report.rtoMs, { source: run.backup.source });
  }
  await releaseTargetLease(deps, run);
  return smallOutput(report);
}

/** Only such a one measures how long a recovery takes: rows of one table are there in a moment. */
async function isOfAWholeDatabase(deps: Deps, run: RestoreRun): Promise<boolean> {
  // Modes other than `into` take no selection.
  if (run.input.dryRun || run.input.mode === 'into') return false;
  // The restore is done: for want of a figure it does not fail.
  const manifest = await manifestOf(deps, run).catch(() => undefined);
  return manifest?.scope === 'full';
}
