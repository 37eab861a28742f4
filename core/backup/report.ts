/** The state Report: the summary of a published run, and its outcome in the workspace. */
import { type BackupReport, backupReportSchema, type Outcome } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { readPhases } from '../run/phases.ts';
import { readRun } from '../snapshot/marks.ts';
import { putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';

export async function reportRun(
  deps: Deps,
  { runId }: InputOf<'Report'>,
): Promise<OutputOf<'Report'>> {
  const run = await readRun(deps.workspace, runId);
  const { source } = run.input;
  const { manifest } = await loadManifest(deps, source, run.backupId);
  const finishedAt = deps.now();
  const { totals } = manifest;
  const report: BackupReport = {
    backupId: run.backupId,
    runId,
    state: 'published',
    scope: manifest.scope,
    source: { ...manifest.source, database: manifest.inventory.database.name },
    serverVersion: manifest.source.serverVersion,
    startedAt: run.startedAt,
    finishedAt: finishedAt.toISOString(),
    tables: totals.tables,
    rows: totals.rows,
    rawBytes: totals.rawBytes,
    storedBytes: totals.storedBytes,
    compressionRatio: totals.storedBytes === 0 ? 1 : round(totals.rawBytes / totals.storedBytes),
    segments: totals.segments,
    objects: totals.objects,
    durationMs: Math.max(0, finishedAt.getTime() - Date.parse(run.startedAt)),
    phases: await readPhases(deps, runId),
    warnings: manifest.warnings,
    manifest: vaultKeys.manifest(source, run.backupId),
  };
  const outcome: Outcome = {
    runId,
    backupId: run.backupId,
    source,
    state: 'published',
    startedAt: run.startedAt,
    finishedAt: report.finishedAt,
    error: null,
    message: null,
    hint: null,
  };
  await putJson(deps.workspace, workspaceKeys.outcome(runId), outcome);
  return { ...backupReportSchema.parse(report) };
}

const round = (ratio: number): number => Math.round(ratio * 1000) / 1000;
