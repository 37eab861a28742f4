/**
 * The report as the output of a state: a summary that a person reads in the console, where a report has a line for each
 * table, and Step Functions carries 256 KB at most.
 *
 * Invariant: what was left out is in `report.json` and on the page, and the output says so (`isCut`); the verdict, the
 * counts and the error are always there.
 */
import type { RestoreReport } from '../contract/restore.ts';

/** Three screens of the console; a drill's state carries that of its restore beside its own. */
const wholeBytes = 6_000;
/** Of each list that is cut: enough for the first reasons; all of them, and what is never cut (2 kB), are 8 kB at most. */
const listBytes = 800;
const differencesBytes = 2_500;

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

export function smallOutput(report: RestoreReport): RestoreReport {
  if (sizeOf(report) <= wholeBytes) return { ...report };
  const real = report.differences.filter(({ isExpected }) => !isExpected);
  const expected = report.differences.filter(({ isExpected }) => isExpected);
  return {
    ...report,
    comparedTables: [],
    differences: firstOf([...real, ...expected], differencesBytes),
    preflight: firstOf(report.preflight),
    checks: firstOf(report.checks),
    warnings: firstOf(report.warnings),
    ...(report.merged === undefined ? {} : { merged: firstOf(report.merged) }),
    isCut: true,
  };
}

/** As many from the beginning as there is room for. */
function firstOf<T>(list: readonly T[], bytesAtMost = listBytes): T[] {
  let bytes = 0;
  const end = list.findIndex((item) => {
    bytes += sizeOf(item);
    return bytes > bytesAtMost;
  });
  return list.slice(0, end < 0 ? list.length : end);
}
