/**
 * The report of a drill: that of its restore, under the drill's own name.
 *
 * Invariant: it has succeeded only when the restore did, what came back is identical, and every check passed.
 */
import { type ErrorName, errorCatalogue } from '../contract/errors.ts';
import type { Warning } from '../contract/manifest.ts';
import type { RestoreReport } from '../contract/restore.ts';
import type { Failure } from '../run/failure.ts';
import type { DrillRecord } from './drill-record.ts';

export interface DrillEnd {
  readonly finishedAt: string;
  /** Host and port, when the restore did not come so far as to write its report. */
  readonly server: string;
  /** What the execution of the restore ended with; null when it ended well. */
  readonly failure: Failure | null;
  /** Why the scratch database is still there, or null when it is gone. */
  readonly left: Warning | null;
  /** What was taken away here, beside what the restore says that it did. */
  readonly cleaned?: readonly string[];
  readonly page: string;
}

/** @param restore the report of the restore; undefined when it did not come so far */
export function drillReportOf(
  record: DrillRecord,
  restore: RestoreReport | undefined,
  end: DrillEnd,
): RestoreReport {
  const base: RestoreReport =
    restore === undefined ? emptyReport(record, end) : ofTheBackup(restore);
  const error = base.error ?? errorOf(base, end.failure);
  const cleaned = [...new Set([...(base.cleaned ?? []), ...(end.cleaned ?? [])])];
  const isKept = base.database !== null && (record.request.keepScratch || end.left !== null);
  return {
    ...base,
    runId: record.runId,
    kind: 'drill',
    state: error === null ? 'succeeded' : 'failed',
    database: isKept ? record.scratch : null,
    previousDatabase: null,
    startedAt: record.startedAt,
    finishedAt: end.finishedAt,
    warnings: end.left === null ? base.warnings : [...base.warnings, end.left],
    // What a drill that ended well throws away was to be thrown away.
    ...(error === null || cleaned.length === 0 ? {} : { cleaned }),
    error,
    page: end.page,
  };
}

/** What the server of a drill refuses of the database's settings and rights says nothing about the backup. */
function ofTheBackup(restore: RestoreReport): RestoreReport {
  const differences = restore.differences.map((difference) =>
    difference.kind === 'setting' ? { ...difference, isExpected: true } : difference,
  );
  const isOnlyOfServer =
    restore.verdict === 'different' && differences.every(({ isExpected }) => isExpected);
  return { ...restore, differences, ...(isOnlyOfServer ? { verdict: 'identical' } : {}) };
}

function errorOf(base: RestoreReport, failure: Failure | null): RestoreReport['error'] {
  if (failure !== null) {
    return { name: failure.error, message: failure.message, hint: failure.hint };
  }
  if (base.state !== 'succeeded') {
    return unproven('InternalError', `The restore of the drill ended as "${base.state}".`);
  }
  if (base.verdict !== 'identical') {
    const what = base.verdict === 'different' ? 'differs from the backup' : 'was not compared';
    return unproven('RestoreDifferentError', `What was restored ${what}.`);
  }
  const failed = base.checks.filter(({ isPassed }) => !isPassed);
  if (failed.length === 0) return null;
  const names = failed.map(({ name }) => JSON.stringify(name)).join(', ');
  return unproven('CheckFailedError', `Checks of your own failed: ${names}.`);
}

const unproven = (name: ErrorName, message: string) => ({
  name,
  message,
  hint: errorCatalogue[name].hint,
});

function emptyReport({ backup, request, startedAt, runId }: DrillRecord, end: DrillEnd) {
  return {
    runId,
    kind: 'drill',
    state: 'failed',
    verdict: 'not-compared',
    mode: 'new',
    backupId: backup.backupId,
    source: backup.source,
    sourceDatabase: backup.database,
    snapshotAt: backup.snapshotAt,
    server: end.server,
    database: null,
    previousDatabase: null,
    safetyBackupId: null,
    startedAt,
    finishedAt: end.finishedAt,
    ...{ tables: 0, rows: 0, readBytes: 0, rawBytes: 0 },
    rtoMs: 0,
    rpoMs: Math.max(0, Date.parse(startedAt) - Date.parse(backup.snapshotAt)),
    objectives: request.objectives,
    ...{ phases: {}, timeline: [], preflight: [], comparedTables: [], differences: [], checks: [] },
    warnings: [],
    error: null,
    page: end.page,
  } satisfies RestoreReport;
}
