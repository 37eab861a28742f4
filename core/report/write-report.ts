/**
 * The end of a restore in the workspace: its outcome, its report as JSON and as a page.
 *
 * Invariant: the outcome is written last, so that whoever finds it finds the report; a restore without one goes on.
 */
import type { Deps } from '../contract/deps.ts';
import { type RestoreReport, type RestoreRun, restoreReportSchema } from '../contract/restore.ts';
import { readFact } from '../restore/restore-run.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { buildRestoreReport, type ReportDeps, type ReportedFailure } from './build-report.ts';
import { type Identity, identityOf, identitySchema } from './html/identity.ts';
import { renderPage } from './html/page.ts';
import { readRestoreOutcome, recordRestoreOutcome } from './outcome.ts';

export type WriteReportDeps = ReportDeps & Pick<Deps, 'now' | 'toolVersions'>;

/** @returns the report, which is in `report.json` and as a page in `report.html` then */
export async function writeRestoreReport(
  deps: WriteReportDeps,
  run: RestoreRun,
  ending: {
    readonly state: RestoreReport['state'];
    readonly error?: ReportedFailure;
    readonly cleaned?: readonly string[];
  },
): Promise<RestoreReport> {
  const { error } = ending;
  const earlier = await readRestoreOutcome(deps, run.runId);
  const finishedAt = earlier?.finishedAt ?? deps.now().toISOString();
  const report = await buildRestoreReport(deps, run, { ...ending, finishedAt });
  await storeReport(deps, report, identityOf(deps, run));
  await recordRestoreOutcome(deps, {
    runId: run.runId,
    state: ending.state,
    finishedAt,
    error:
      error === undefined ? null : { name: error.error, message: error.message, hint: error.hint },
  });
  return report;
}

/** Writes a report that is ready, its page, and what the page needs to be written again. */
export async function storeReport(
  deps: Pick<Deps, 'workspace'>,
  report: RestoreReport,
  identity: Identity,
): Promise<void> {
  const identityKey = workspaceKeys.restoreFact(report.runId, 'identity');
  await putJson(deps.workspace, identityKey, identity);
  const page = new TextEncoder().encode(renderPage(report, identity));
  await deps.workspace.put(workspaceKeys.restorePage(report.runId), page);
  await putJson(deps.workspace, workspaceKeys.restoreReport(report.runId), report);
}

export const readReport = (
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<RestoreReport | undefined> =>
  getJson(deps.workspace, restoreReportSchema, workspaceKeys.restoreReport(runId));

/** After a swap was taken back: the report says so from then on. Nothing happens when the run left no report. */
export async function noteRolledBack(deps: Pick<Deps, 'workspace'>, runId: string): Promise<void> {
  const report = await readReport(deps, runId);
  const identity = await readFact(deps.workspace, runId, 'identity', identitySchema);
  if (report === undefined || identity === undefined) return;
  const taken = {
    ...report,
    state: 'rolled-back',
    database: null,
    previousDatabase: null,
  } as const;
  await storeReport(deps, taken, identity);
}
