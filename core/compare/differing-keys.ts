/**
 * Which rows of a table differ: their primary keys.
 *
 * Both sides are read twice, in whatever order rows come, with little memory: first, every row is added to the sum of
 * its key's bucket; then only rows of buckets whose sums differ are kept, as key and hash. So it works for a backup as for
 * a server, and the order of a collation does not matter.
 * Invariant: `count` is exact unless `isAtLeast` says otherwise.
 */
import { createHash } from 'node:crypto';
import { linesOf, unescapeCopy } from './copy-lines.ts';
import type { RowsWanted, Side } from './side.ts';

export interface DifferingKeys {
  /** JSON texts, `{"id":"17"}`; at most `listedAtMost`. */
  readonly keys: readonly string[];
  readonly onlyLeft: number;
  readonly onlyRight: number;
  readonly changed: number;
  /** More buckets differ than could be looked at. */
  readonly isAtLeast: boolean;
}

export const listedAtMost = 100;
const bucketCount = 1 << 16;
/** Rows held at once per side: about 200 MB at worst. */
const heldAtMost = 1_000_000;

/** @param key columns of the primary key, a part of `wanted.columns`; rows are in text */
export async function differingKeys(
  left: Side,
  right: Side,
  wanted: RowsWanted,
  key: readonly string[],
): Promise<DifferingKeys> {
  const places = key.map((column) => wanted.columns.indexOf(column));
  const [ours, theirs] = await Promise.all([
    sumBuckets(left.rows(wanted), places),
    sumBuckets(right.rows(wanted), places),
  ]);
  const chosen = new Set<number>();
  let held = 0;
  let isAtLeast = false;
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    if (ours.sums[bucket] === theirs.sums[bucket]) continue;
    held += Math.max(ours.rows[bucket] ?? 0, theirs.rows[bucket] ?? 0);
    if (held > heldAtMost && chosen.size > 0) {
      isAtLeast = true;
      break;
    }
    chosen.add(bucket);
  }
  const [a, b] = await Promise.all([
    rowsOf(left.rows(wanted), places, chosen),
    rowsOf(right.rows(wanted), places, chosen),
  ]);
  return { ...diff(a, b, key), isAtLeast };
}

interface Row {
  /** Fields of the primary key, as COPY text. */
  readonly key: string;
  readonly bucket: number;
  readonly hash: string;
}

async function* keyedRows(
  chunks: AsyncIterable<Buffer>,
  places: readonly number[],
): AsyncGenerator<Row> {
  for await (const line of linesOf(chunks)) {
    const fields = line.toString('latin1').split('\t');
    const key = places.map((place) => fields[place] ?? '').join('\t');
    const bucket = createHash('md5').update(key, 'latin1').digest().readUInt16LE(0);
    yield { key, bucket, hash: createHash('md5').update(line).digest().toString('latin1') };
  }
}

async function sumBuckets(chunks: AsyncIterable<Buffer>, places: readonly number[]) {
  const sums = new BigUint64Array(bucketCount);
  const rows = new Uint32Array(bucketCount);
  for await (const { bucket, hash } of keyedRows(chunks, places)) {
    // Wraps around at 2^64.
    sums[bucket] = (sums[bucket] ?? 0n) + Buffer.from(hash, 'latin1').readBigUInt64LE(0);
    rows[bucket] = (rows[bucket] ?? 0) + 1;
  }
  return { sums, rows };
}

async function rowsOf(
  chunks: AsyncIterable<Buffer>,
  places: readonly number[],
  chosen: ReadonlySet<number>,
): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for await (const { key, bucket, hash } of keyedRows(chunks, places)) {
    if (chosen.has(bucket)) rows.set(key, hash);
  }
  return rows;
}

function diff(
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  key: readonly string[],
): Omit<DifferingKeys, 'isAtLeast'> {
  const onlyLeft = [...ours.keys()].filter((row) => !theirs.has(row));
  const onlyRight = [...theirs.keys()].filter((row) => !ours.has(row));
  const changed = [...ours].filter(([row, hash]) => (theirs.get(row) ?? hash) !== hash);
  const all = [...onlyLeft, ...onlyRight, ...changed.map(([row]) => row)];
  return {
    keys: all.slice(0, listedAtMost).map((row) => keyText(row, key)),
    onlyLeft: onlyLeft.length,
    onlyRight: onlyRight.length,
    changed: changed.length,
  };
}

function keyText(row: string, key: readonly string[]): string {
  const fields = Buffer.from(row, 'latin1').toString('utf8').split('\t').map(unescapeCopy);
  return JSON.stringify(Object.fromEntries(key.map((column, index) => [column, fields[index]])));
}
