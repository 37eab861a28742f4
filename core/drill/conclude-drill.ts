/**
 * The state ConcludeDrill: signed evidence, the scratch database gone, the report.
 *
 * Invariant: it comes after every drill that knows its backup, good or bad. The scratch database is dropped whatever
 * became of the restore; one that cannot be dropped is told as a warning, counted, and written down for CleanUp and the
 * next drill; it changes no verdict.
 */
import type { Deps } from '../contract/deps.ts';
import type { Warning } from '../contract/manifest.ts';
import { unknownSource } from '../contract/metrics.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type RestoreReport, type RestoreRun, restoreReportSchema } from '../contract/restore.ts';
import { pageOf } from '../report/build-report.ts';
import { type Identity, sourceVersionOf } from '../report/html/identity.ts';
import { readRestoreOutcome, recordRestoreOutcome } from '../report/outcome.ts';
import { smallOutput } from '../report/small-output.ts';
import { readReport, storeReport } from '../report/write-report.ts';
import { noteLeft } from '../restore/fail/uncleared.ts';
import { findRestoreRun } from '../restore/restore-run.ts';
import { askedSource } from '../run/asked-source.ts';
import { makeAttempts, type NoteCleaned } from '../run/attempt.ts';
import { failureFromCaught, toError } from '../run/failure.ts';
import { recordEvidence } from './drill-evidence.ts';
import { type DrillRecord, readDrill, scratchRunId } from './drill-record.ts';
import { drillReportOf } from './drill-report.ts';
import { dropScratch } from './drop-scratch.ts';

/** @throws what PlanDrill ended with, when it came to no backup */
export async function concludeDrill(
  deps: Deps,
  { runId, restore, error, request }: InputOf<'ConcludeDrill'>,
): Promise<OutputOf<'ConcludeDrill'>> {
  const record = await readDrill(deps, runId);
  const failure = error === null ? null : failureFromCaught(error);
  if (record === undefined) {
    const source = (await askedSource(deps, request)) ?? unknownSource;
    deps.metric?.('DrillFailed', 1, { source });
    throw toError(failure ?? failureFromCaught({ Error: 'InternalError' }));
  }
  const done = await concluded(deps, runId);
  if (done !== undefined) return smallOutput(done);

  const child = scratchRunId(runId);
  const run = await findRestoreRun(deps.workspace, child);
  const { noteCleaned, cleaned } = makeAttempts();
  const report = drillReportOf(record, await reportOf(deps, child, restore), {
    finishedAt: deps.now().toISOString(),
    server: await serverOf(deps, record),
    failure,
    left: await leftBehind(deps, record, run, noteCleaned),
    cleaned,
    page: pageOf(deps, runId),
  });
  // Dropping takes its time: CleanUp may have come between, after an execution that was stopped.
  const other = await concluded(deps, runId);
  if (other !== undefined) return smallOutput(other);
  const evidence = await recordEvidence(deps, record, report);
  await storeReport(deps, report, identityOf(deps, record, run, evidence?.key));
  const { state, finishedAt } = report;
  await recordRestoreOutcome(deps, { runId, state, finishedAt, error: report.error });
  const name = state === 'succeeded' ? 'DrillProven' : 'DrillFailed';
  deps.metric?.(name, 1, { source: record.backup.source });
  return smallOutput(report);
}

/** The report of an earlier attempt. */
async function concluded(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
): Promise<RestoreReport | undefined> {
  const outcome = await readRestoreOutcome(deps, runId);
  return outcome && (await readReport(deps, runId));
}

/** What the restore gave back, or wrote down when that was cut; what FailRestore wrote down when it gave nothing. */
async function reportOf(
  deps: Pick<Deps, 'workspace'>,
  child: string,
  output: unknown,
): Promise<RestoreReport | undefined> {
  const given = restoreReportSchema.safeParse(output);
  if (given.success && given.data.isCut !== true) return given.data;
  return (await readReport(deps, child)) ?? given.data;
}

async function leftBehind(
  deps: Deps,
  record: DrillRecord,
  run: RestoreRun | undefined,
  noteCleaned: NoteCleaned,
): Promise<Warning | null> {
  if (run === undefined || record.request.keepScratch) return null;
  try {
    await dropScratch(deps, run, noteCleaned);
    return null;
  } catch (error) {
    const message = `The scratch database ${JSON.stringify(record.scratch)} could not be dropped: ${error instanceof Error ? error.message : String(error)}`;
    await noteLeft(deps, record.runId, [message]);
    deps.progress({ state: 'ConcludeDrill', message: `Drill ${record.runId}: ${message}` });
    // Nobody looks at the warnings of a drill that succeeded, and no rule at its end.
    deps.metric?.('CleanUpTroubles', 1, { machine: 'drill' });
    return {
      ...{ code: 'scratch-left', message },
      hint: `\`holdfast cancel ${record.runId}\` tries again, and so does the next drill there; it holds a copy of the rows of the backup.`,
    };
  }
}

async function serverOf(deps: Deps, { request }: DrillRecord): Promise<string> {
  const { host, port } = await deps.connectionOf(request.target);
  return `${host}:${port}`;
}

const identityOf = (
  deps: Deps,
  { backup, request }: DrillRecord,
  run: RestoreRun | undefined,
  evidence: string | undefined,
): Identity => ({
  vault: deps.vault.location,
  vaultId: deps.vaultId,
  manifestSha256: backup.manifestSha256,
  sourceVersion: run === undefined ? null : sourceVersionOf(run),
  requestedBy: request.requestedBy,
  tools: deps.toolVersions,
  selection: [],
  estimateMs: null,
  evidence: evidence ?? null,
});
