/** The state ReportRestore: how the restore went, as JSON and as a page; the target is free for the next one. */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { smallOutput } from '../report/small-output.ts';
import { writeRestoreReport } from '../report/write-report.ts';
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
  if (!run.input.dryRun) {
    deps.metric?.('RestoreDuration', report.rtoMs, { source: run.backup.source });
  }
  await releaseTargetLease(deps, run);
  return smallOutput(report);
}
