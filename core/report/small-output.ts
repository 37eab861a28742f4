/**
 * The report as the output of a state: Step Functions carries 256 KB at most, and a report has a line for each table.
 *
 * Invariant: what was left out is in `report.json` and on the page, and the output says so (`isCut`); the verdict, the
 * counts and the error are always there.
 */
import type { RestoreReport } from '../contract/restore.ts';

/** A drill carries the output of its restore beside its own request: a quarter of what there is. */
const wholeBytes = 60_000;
/** Of each list that is cut: enough for the first reasons. */
const listBytes = 8_000;

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

export function smallOutput(report: RestoreReport): RestoreReport {
  if (sizeOf(report) <= wholeBytes) return { ...report };
  const real = report.differences.filter(({ isExpected }) => !isExpected);
  const expected = report.differences.filter(({ isExpected }) => isExpected);
  return {
    ...report,
    comparedTables: [],
    differences: firstOf([...real, ...expected]),
    preflight: firstOf(report.preflight),
    checks: firstOf(report.checks),
    warnings: firstOf(report.warnings),
    ...(report.merged === undefined ? {} : { merged: firstOf(report.merged) }),
    isCut: true,
  };
}

/** As many from the beginning as there is room for. */
function firstOf<T>(list: readonly T[]): T[] {
  let bytes = 0;
  const end = list.findIndex((item) => {
    bytes += sizeOf(item);
    return bytes > listBytes;
  });
  return list.slice(0, end < 0 ? list.length : end);
}
