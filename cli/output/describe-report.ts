/** The report of a finished backup for people. */
import type { BackupReport } from '../../core/contract/catalogue.ts';
import { formatBytes, formatDuration, formatRate, plural, printable } from './format.ts';

/** Of a backup on AWS, of its copy in the other Region. */
const copies = {
  replicated: 'Copied to the other Region, read back there and found intact',
  behind: 'NOT YET copied to the other Region',
  damaged: 'The copy in the other Region is DAMAGED',
} as const;

export function describeReport(report: BackupReport): string {
  const { backupId, state, scope, tables, rows, rawBytes, storedBytes, objects, durationMs } =
    report;
  if (state === 'duplicate') return `${backupId}: another run took this backup; nothing was done.`;
  const rate = durationMs > 0 ? `, ${formatRate((rawBytes / durationMs) * 1000)}` : '';
  const ratio = storedBytes > 0 ? ` (${report.compressionRatio.toFixed(1)} : 1)` : '';
  const lines = [
    `${backupId}: ${state}${scope === 'partial' ? ', PARTIAL (filters left something out)' : ''}`,
    `  ${plural(tables, 'table')}, ${plural(rows, 'row')}`,
    `  ${formatBytes(rawBytes)} stored as ${formatBytes(storedBytes)}${ratio} in ${plural(objects, 'object')}`,
    `  ${formatDuration(durationMs)}${rate}; written, read back and found intact`,
  ];
  if (report.replica !== undefined) lines.push(`  ${copies[report.replica]}`);
  for (const { code, message, hint } of report.warnings) {
    lines.push(`  Warning ${code}: ${printable(message)}`, `    ${printable(hint)}`);
  }
  return lines.join('\n');
}
