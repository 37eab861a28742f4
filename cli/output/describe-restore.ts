/** The result of a restore for people: what came back, where it is, how long it took, and what to do next. */
import type { RestoreReport } from '../../core/contract/restore.ts';
import { preflightLines, preflightSum } from './describe-preflight.ts';
import { formatBytes, formatDuration, formatTime, plural, printable } from './format.ts';

const partNames: Readonly<Record<string, string>> = {
  safetyBackup: 'safety backup',
};

/** How a swap is taken back, where the restore was made. */
type WayBack = (report: RestoreReport) => readonly string[];

const wayBackHere: WayBack = ({ runId }) => [
  `  Back to it: holdfast rollback ${runId}   Drop it: holdfast rollback ${runId} --discard`,
];

export const wayBackOnAws: WayBack = () => [
  '  Back to it: rename both, with the statements in docs/deploy.md, section 10.',
];

export function describeRestore(report: RestoreReport, wayBack = wayBackHere): string {
  const { backupId, server, database, tables, rows, rawBytes, readBytes } = report;
  const where = database === null ? 'nothing' : `database ${quoted(database)}`;
  const parts = Object.entries(report.phases).map(
    ([part, ms]) => `${partNames[part] ?? part} ${formatDuration(ms)}`,
  );
  return [
    `Restored ${backupId} (${formatTime(report.snapshotAt)}) into ${where} on ${printable(server)}`,
    `  ${plural(tables, 'table')}, ${plural(rows, 'row')}; ${formatBytes(rawBytes)} from ${formatBytes(readBytes)} of the vault`,
    `  Took ${formatDuration(report.rtoMs)}${objective(report.rtoMs, report.objectives.rtoSeconds)}: ${parts.join(', ')}`,
    `  The backup was ${formatDuration(report.rpoMs)} old${objective(report.rpoMs, report.objectives.rpoSeconds)}`,
    `  Compared with the backup: ${verdicts[report.verdict]}`,
    ...merged(report),
    ...differences(report),
    ...checks(report),
    ...report.warnings.flatMap(({ code, message, hint }) => [
      `  Warning ${code}: ${printable(message)}`,
      `    ${printable(hint)}`,
    ]),
    ...(report.page === null ? [] : [`  Report: ${report.page}`]),
    ...nextSteps(report, wayBack),
  ].join('\n');
}

const quoted = (name: string): string => JSON.stringify(printable(name));

const verdicts = {
  identical: 'identical',
  different: 'DIFFERENT',
  'not-compared': 'not compared',
} as const;

function objective(ms: number, seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const goal = formatDuration(seconds * 1000);
  return ms <= seconds * 1000
    ? ` (within the ${goal} aimed at)`
    : ` (MORE than the ${goal} aimed at)`;
}

/** Enough to see what is going on; the report has them all. */
const shownDifferences = 10;
const shownTables = 10;

function differences({ differences: all }: RestoreReport): string[] {
  const shown = all
    .slice(0, shownDifferences)
    .map(
      ({ kind, object, left, right, isExpected }) =>
        `    ${isExpected ? 'expected ' : ''}${kind} of ${printable(object)}: ${printable(left)} → ${printable(right)}`,
    );
  const more = all.length - shown.length;
  return more > 0 ? [...shown, `    and ${more} more in the report`] : shown;
}

/** Mode `into`: each table by the name that it has there, which --as and --into-schema change. */
function merged({ merged: all = [] }: RestoreReport): string[] {
  const kept = all.filter(({ rows, written }) => rows !== written);
  // What was kept is told of every table.
  const whole = all.filter((one) => !kept.includes(one));
  const lines = whole
    .slice(0, shownTables)
    .map(
      ({ table, written, isNew }) =>
        `    ${isNew ? 'new table ' : ''}${printable(table)}: ${plural(written, 'row')} written`,
    );
  const more = whole.length - lines.length;
  if (more > 0) lines.push(`    and ${plural(more, 'more table')}, whole, in the report`);
  return [...lines, ...kept.map(keptLine)];
}

function keptLine({
  table,
  rows,
  written,
  different,
}: NonNullable<RestoreReport['merged']>[number]): string {
  const kept = `${plural(rows - written, 'row')} kept that were there already`;
  const those =
    different === 0 ? 'the same as in the backup' : `${different} of them differ from the backup`;
  return `    ${printable(table)}: ${plural(written, 'row')} written, ${kept}, ${those}`;
}

function checks({ checks: all }: RestoreReport): string[] {
  if (all.length === 0) return [];
  const passed = all.filter(({ isPassed }) => isPassed).length;
  return [`  Checks of your own: ${passed} of ${all.length} passed`];
}

function nextSteps(report: RestoreReport, wayBack: WayBack): string[] {
  const { mode, database, previousDatabase, safetyBackupId } = report;
  const next: string[] = [];
  if (mode === 'new' && database !== null) {
    next.push(`  Next: look at it, then let clients use ${quoted(database)}, or drop it.`);
  }
  if (previousDatabase !== null) {
    next.push(
      `  The database that it replaced is kept as ${quoted(previousDatabase)}.`,
      ...wayBack(report),
    );
  }
  if (safetyBackupId !== null) {
    next.push(`  What was there before is backup ${safetyBackupId}.`);
  }
  return next;
}

export function describeDryRun(report: RestoreReport): string {
  const isHopeless = report.preflight.some(({ verdict }) => verdict === 'failed');
  return [
    ...preflightLines(report.preflight).map(printable),
    '',
    `${preflightSum(report.preflight)} Nothing was touched.`,
    isHopeless
      ? 'The restore cannot work as things are.'
      : `Backup ${report.backupId} can be restored.`,
    ...(report.page === null ? [] : [`Report: ${report.page}`]),
  ].join('\n');
}
