/**
 * Rows of two sides, table by table: count and fingerprint, and with `withKeys` which rows they are.
 *
 * Invariant: both sides read the same columns in the same order and format, or say that they cannot be compared.
 */
import type { Comparison, Difference } from '../contract/restore.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import { differingKeys, listedAtMost } from './differing-keys.ts';
import { type ComparedLeaf, mergeRoots } from './merge-roots.ts';
import type { RowsWanted, Side, SideTable, TableName } from './side.ts';
import { displayName } from './table-name.ts';

export interface RowsOptions {
  /** Name differing rows by their primary keys. */
  readonly withKeys: boolean;
  readonly onBytes?: (table: TableName, rawBytes: number, rows: number) => void;
}

export interface TablePair {
  readonly left: SideTable;
  readonly right: SideTable;
}

interface Planned extends TablePair {
  readonly wanted: RowsWanted;
}

/** Tables that only one side has are differences of the schema. */
export async function compareRows(
  left: Side,
  right: Side,
  pairs: readonly TablePair[],
  options: RowsOptions,
): Promise<Comparison> {
  const differences: Difference[] = [];
  const planned = pairs.flatMap((pair) => {
    const reason = whyNot(pair);
    if (reason !== undefined) differences.push(incomparable(pair.left, reason));
    return reason === undefined ? [{ ...pair, wanted: wantedOf(pair) }] : [];
  });
  const facts = await readBoth(left, right, planned, options);
  const leaves: ComparedLeaf[] = [];
  const byName = new Map<string, Planned>();
  for (const [index, pair] of planned.entries()) {
    const [ours, theirs] = [facts.left[index], facts.right[index]];
    byName.set(displayName(pair.left), pair);
    if (ours && theirs) leaves.push(leafOf(pair.left, ours, theirs));
    else differences.push(incomparable(pair.left, 'a row beyond 1 GB of text'));
  }
  const merged = mergeRoots(leaves);
  for (const difference of merged.differences) {
    const pair = byName.get(difference.object);
    const isNamed = options.withKeys && pair !== undefined;
    differences.push(isNamed ? await withKeys(left, right, pair.wanted, difference) : difference);
  }
  await left.assertUnchanged();
  await right.assertUnchanged();
  return { tables: merged.tables, differences };
}

function whyNot({ left, right }: TablePair): string | undefined {
  const ours = [...left.columns].sort().join('\0');
  const theirs = [...right.columns].sort().join('\0');
  if (ours !== theirs) return 'other columns';
  const formats = [left.format, right.format];
  return formats.includes('text') && formats.includes('binary')
    ? 'stored as text in one backup and as binary in the other'
    : undefined;
}

/** A backup's columns and format are given; a server reads what is asked for. */
function wantedOf({ left, right }: TablePair): RowsWanted {
  const { schema, name, where } = left.format === null && right.format !== null ? right : left;
  const columns = left.format === null && right.format !== null ? right.columns : left.columns;
  return { schema, name, columns, where, format: left.format ?? right.format ?? 'text' };
}

/** Both at once: each has a server or a vault of its own. What is too large for text is read as binary by both. */
async function readBoth(
  left: Side,
  right: Side,
  planned: readonly Planned[],
  options: RowsOptions,
): Promise<{ left: (RowFacts | null)[]; right: (RowFacts | null)[] }> {
  const onBytes = options.onBytes ?? (() => undefined);
  const read = async (wanted: readonly RowsWanted[]) => {
    const [ours, theirs] = await Promise.all([
      left.rowFacts(wanted, onBytes),
      right.rowFacts(wanted, onBytes),
    ]);
    return { left: [...ours], right: [...theirs] };
  };
  const facts = await read(planned.map(({ wanted }) => wanted));
  const again = planned.flatMap(({ wanted, left: a, right: b }, index) => {
    const isTooLarge = facts.left[index] === null || facts.right[index] === null;
    return isTooLarge && a.format === null && b.format === null ? [{ wanted, index }] : [];
  });
  if (again.length === 0) return facts;
  const binary = await read(again.map(({ wanted }) => ({ ...wanted, format: 'binary' })));
  for (const [place, { index }] of again.entries()) {
    facts.left[index] = binary.left[place] ?? null;
    facts.right[index] = binary.right[place] ?? null;
  }
  return facts;
}

const leafOf = (table: SideTable, ours: RowFacts, theirs: RowFacts): ComparedLeaf => ({
  table: displayName(table),
  rows: ours.rows,
  fingerprint: ours.fingerprint,
  targetRows: theirs.rows,
  targetFingerprint: theirs.fingerprint,
  root: table.root === null ? null : displayName(table.root),
});

const incomparable = (table: SideTable, reason: string): Difference => ({
  ...{ kind: 'rows', object: displayName(table) },
  ...{ left: 'not compared', right: reason, isExpected: false },
});

async function withKeys(
  left: Side,
  right: Side,
  wanted: RowsWanted,
  difference: Difference,
): Promise<Difference> {
  const own = await left.primaryKey(wanted);
  const key = own.length > 0 ? own : await right.primaryKey(wanted);
  if (key.length === 0 || wanted.format === 'binary') return difference;
  const found = await differingKeys(left, right, wanted, key);
  const count = (rows: number) => `${found.isAtLeast ? 'at least ' : ''}${rows}`;
  const changed = found.changed === 0 ? '' : `, ${count(found.changed)} changed`;
  const all = found.onlyLeft + found.onlyRight + found.changed;
  const listed = all > listedAtMost ? `, ${listedAtMost} of ${count(all)} keys listed` : '';
  return {
    ...difference,
    left: `${difference.left}; ${count(found.onlyLeft)} only here${changed}`,
    right: `${difference.right}; ${count(found.onlyRight)} only here${changed}${listed}`,
    keys: [...found.keys],
  };
}
