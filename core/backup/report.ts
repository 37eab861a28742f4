/** The state Report: the summary of a published run, and its outcome in the workspace. */
import { type BackupReport, backupReportSchema, type Outcome } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { Run } from '../contract/plan.ts';
import { readPhases } from '../run/phases.ts';
import { readRun } from '../snapshot/marks.ts';
import { getJson, putJson } from '../vault/json.ts';
import { vaultKeys, workspaceKeys } from '../vault/keys.ts';
import { loadManifest } from '../verify/open-backup.ts';
import { publicationSchema } from './publication.ts';
import { replicaRecordSchema } from './record-replica.ts';

export async function reportRun(
  deps: Deps,
  { runId }: InputOf<'Report'>,
): Promise<OutputOf<'Report'>> {
  const run = await readRun(deps.workspace, runId);
  const { source } = run.input;
  const { manifest } = await loadManifest(deps, source, run.backupId);
  const publication = await getJson(
    deps.workspace,
    publicationSchema,
    workspaceKeys.publication(runId),
  );
  const replica = publication?.hasReplica ? await replicaOf(deps, run) : undefined;
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
    warnings: [...manifest.warnings, ...(replica?.warnings ?? [])],
    vault: deps.vault.location,
    manifest: vaultKeys.manifest(source, run.backupId),
    ...(publication?.retainUntil ? { tier: publication.tier } : {}),
    ...(replica === undefined ? {} : { replica: replica.state }),
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
  tellMetrics(deps, source, report);
  return { ...backupReportSchema.parse(report) };
}

/** Without a record the manifest has not arrived in time, or RecordReplica could not look: nobody has counted that yet. */
async function replicaOf(deps: Deps, { runId, input: { source } }: Run) {
  const record = await getJson(deps.workspace, replicaRecordSchema, workspaceKeys.replica(runId));
  if (record === undefined) deps.metric?.('ReplicaBehind', 1, { source });
  const state = record?.replica ?? 'behind';
  if (state === 'replicated') return { state, warnings: [] };
  const problem = record?.problem ?? 'The manifest could not be read there in time.';
  const warning = {
    code: state === 'behind' ? 'replica-behind' : 'replica-damaged',
    message: `The backup is published, and its replica is ${state}: ${problem}`,
    hint: 'What to do is in docs/retention.md, under "Behind"; the next backup is copied as a whole.',
  };
  return { state, warnings: [warning] };
}

function tellMetrics({ metric }: Deps, source: string, report: BackupReport): void {
  metric?.('BackupPublished', 1, { source });
  metric?.('BackupDuration', report.durationMs, { source });
  metric?.('BackupRawBytes', report.rawBytes, { source });
  metric?.('BackupStoredBytes', report.storedBytes, { source });
  metric?.('BackupRows', report.rows, { source });
}

const round = (ratio: number): number => Math.round(ratio * 1000) / 1000;
