/** The result of a verification for people: what was read, and for each problem the object and the table. */
import type { VerifyReport } from '../../core/contract/catalogue.ts';
import { formatBytes, formatDuration, plural, printable } from './format.ts';

/** Enough to see what is going on; `--json` has them all. */
const shownProblems = 20;

export function describeVerdict(report: VerifyReport): string {
  const { backupId, verdict, depth, objects, rows, storedBytes, durationMs, problems } = report;
  const read = `${plural(objects, 'object')}, ${formatBytes(storedBytes)}`;
  const seen =
    depth === 'quick' ? `${read}: sizes and hashes only` : `${read}, ${plural(rows, 'row')}`;
  const head = `${backupId}: ${verdict === 'intact' ? 'intact' : 'DAMAGED'} (${seen}, ${formatDuration(durationMs)})`;
  if (verdict === 'intact') return head;
  const shown = problems
    .slice(0, shownProblems)
    .map(
      ({ object, table, kind, detail }) =>
        `  object  ${printable(object)}\n  table   ${table === null ? '(the whole object)' : printable(table)}\n  what    ${kind}: ${printable(detail)}`,
    );
  const more = problems.length - shownProblems;
  return [
    head,
    ...shown,
    ...(more > 0 ? [`  … and ${plural(more, 'more problem')}: --json lists them all`] : []),
    '  What to do: keep this backup (the rest of it can be restored), take another now, and check the disk.',
  ].join('\n\n');
}
