/**
 * Do the segments of a table hold each row of it once? Read from the ranges that were dumped, not from what was meant.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { Segment } from '../contract/manifest.ts';

/** @throws IncompleteBackupError: ranges of blocks must follow on each other from block 0 to the open end */
export function assertTableCovered(name: string, segments: readonly Segment[]): void {
  const refuse = (why: string): never => {
    throw new HoldfastError('IncompleteBackupError', `The data of ${name} is not whole: ${why}.`, {
      evidence: { table: name, ranges: segments.slice(0, 20).map(({ blocks }) => blocks ?? 'all') },
    });
  };
  if (segments.length === 0) refuse('no unit holds any of it');
  if (new Set(segments.map(({ format }) => format)).size > 1) refuse('text and binary are mixed');
  if (segments.length === 1 && segments[0]?.blocks === undefined) return;
  const ranges = segments.map(
    ({ blocks }) => blocks ?? refuse('it is there as a whole and once more'),
  );
  ranges.sort((a, b) => a.from - b.from);
  let end: number | null = 0;
  for (const { from, to } of ranges) {
    if (from !== end) refuse(`blocks ${end ?? 'to the end'} and ${from} do not meet`);
    end = to;
  }
  if (end !== null) refuse(`it ends at block ${end} instead of the end of the table`);
}

/** Stretches of oids, both ends within. */
export interface OidRange {
  readonly fromOid: number;
  readonly toOid: number;
}

/** @throws IncompleteBackupError when `done` is not exactly what was planned, however it was cut */
export function assertOidsCovered(
  what: string,
  planned: readonly OidRange[],
  done: readonly OidRange[],
): void {
  const [wanted, got] = [joined(planned), joined(done)];
  if (JSON.stringify(wanted) === JSON.stringify(got)) return;
  throw new HoldfastError('IncompleteBackupError', `The ${what} are not whole.`, {
    evidence: { planned: wanted.slice(0, 20), dumped: got.slice(0, 20) },
  });
}

/** Ranges that meet become one; ranges that overlap stay two, so that they are noticed. */
function joined(ranges: readonly OidRange[]): OidRange[] {
  const result: OidRange[] = [];
  for (const { fromOid, toOid } of [...ranges].sort((a, b) => a.fromOid - b.fromOid)) {
    const last = result.at(-1);
    if (last !== undefined && last.toOid + 1 === fromOid) {
      result[result.length - 1] = { fromOid: last.fromOid, toOid };
    } else {
      result.push({ fromOid, toOid });
    }
  }
  return result;
}
