/** The report of a restore, drill or dry run for people, whatever became of it. */
import type { RestoreReport } from '../../core/contract/restore.ts';
import { splitOf } from '../../core/drill/drill-evidence.ts';
import { headlineOf } from '../../core/report/html/headline.ts';
import { resultOf } from '../../core/report/html/objectives.ts';
import { preflightLines } from './describe-preflight.ts';
import { describeDryRun, describeRestore } from './describe-restore.ts';
import { formatDuration, formatTime, plural, printable } from './format.ts';

export function describeRecovery(report: RestoreReport): string {
  if (report.kind === 'dry-run') return describeDryRun(report);
  if (report.kind === 'restore' && report.state === 'succeeded') return describeRestore(report);
  return [
    `${report.backupId}: ${headlineOf(report).title}`,
    ...(report.state === 'succeeded' ? proof(report) : failure(report)),
    ...report.warnings.flatMap(({ code, message, hint }) => [
      `  Warning ${code}: ${printable(message)}`,
      `    ${printable(hint)}`,
    ]),
    ...(report.page === null ? [] : [`  Report: ${report.page}`]),
  ].join('\n');
}

function proof(report: RestoreReport): string[] {
  const { tables, rows, rtoMs, rpoMs, objectives, database, checks } = report;
  const { downloadAndLoad, index, verify } = splitOf(report);
  return [
    `  Restored to a scratch database on ${printable(report.server)} and compared: ${plural(tables, 'table')}, ${plural(rows, 'row')}, identical`,
    `  Recovery time ${formatDuration(rtoMs)}${against(rtoMs, objectives.rtoSeconds)}: download and load ${formatDuration(downloadAndLoad)}, index ${formatDuration(index)}, verify ${formatDuration(verify)}`,
    `  Recovery point ${formatDuration(rpoMs)}${against(rpoMs, objectives.rpoSeconds)}: the age of its snapshot of ${formatTime(report.snapshotAt)}`,
    ...(checks.length === 0 ? [] : [`  Checks of your own: all ${checks.length} passed`]),
    database === null
      ? '  The scratch database was dropped.'
      : `  The scratch database is ${JSON.stringify(printable(database))}.`,
  ];
}

function failure({ error, checks, differences, preflight }: RestoreReport): string[] {
  const real = differences.filter(({ isExpected }) => !isExpected).length;
  const failed = checks.filter(({ isPassed }) => !isPassed);
  const isRefused = error?.name === 'PreflightFailedError';
  const list = isRefused ? preflight.filter(({ verdict }) => verdict !== 'ok') : [];
  return [
    ...(error === null
      ? []
      : [`  ${error.name}: ${printable(error.message)}`, `  What to do: ${printable(error.hint)}`]),
    ...preflightLines(list).map((line) => `  ${printable(line)}`),
    ...(real === 0 ? [] : [`  ${plural(real, 'difference')}: the report lists them`]),
    ...failed.map(
      ({ name, expected, got }) =>
        `  Check ${printable(name)}: expected ${printable(expected)}, got ${printable(got)}`,
    ),
  ];
}

function against(measuredMs: number, targetSeconds: number | undefined): string {
  if (targetSeconds === undefined) return '';
  const target = formatDuration(targetSeconds * 1000);
  return resultOf(measuredMs, targetSeconds) === 'met'
    ? ` (within ${target})`
    : ` (MORE than ${target})`;
}
