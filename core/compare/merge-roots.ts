/**
 * Rows of a partitioned table may lie in other partitions than at the source: where a hash partition's key has another
 * hash on this server (an enum's hash is of its oid), rows go in through the root, and only the root can be compared.
 *
 * Invariant: partitions count as equal only when their rows, taken together over one root, are equal. Partitions that
 * are equal one by one take no part in that: their fingerprints would cancel each other.
 */
import type { ComparedTable, Difference } from '../contract/restore.ts';
import { addFingerprints, emptyFingerprint } from '../fingerprint/fingerprint.ts';

/** A compared table, and the root that it is a partition of. */
export interface ComparedLeaf extends ComparedTable {
  readonly root: string | null;
}

export interface MergedRows {
  readonly tables: ComparedTable[];
  readonly differences: Difference[];
}

/** Tables as they are to be reported, and the differences that are left. */
export function mergeRoots(compared: readonly ComparedLeaf[]): MergedRows {
  const moved = new Map<string, ComparedLeaf[]>();
  for (const leaf of compared) {
    if (leaf.root === null || isEqual(leaf)) continue;
    moved.set(leaf.root, [...(moved.get(leaf.root) ?? []), leaf]);
  }
  const merged = new Map<string, ComparedTable>();
  for (const [root, leaves] of moved) {
    const sum = sumOf(`${root} (${leaves.length} partitions together)`, leaves);
    if (isEqual(sum)) merged.set(root, sum);
  }
  const isMerged = (leaf: ComparedLeaf) =>
    leaf.root !== null && !isEqual(leaf) && merged.has(leaf.root);
  const left = compared.filter((leaf) => !isMerged(leaf));
  return {
    tables: [...left.map(({ root: _, ...table }) => table), ...merged.values()],
    differences: left.filter((table) => !isEqual(table)).map(rowsDifference),
  };
}

export const isEqual = (table: ComparedTable): boolean =>
  table.rows === table.targetRows && table.fingerprint === table.targetFingerprint;

export function rowsDifference(table: ComparedTable): Difference {
  return {
    kind: 'rows',
    object: table.table,
    left: `${rowsText(table.rows)}, fingerprint ${table.fingerprint}`,
    right: `${rowsText(table.targetRows)}, fingerprint ${table.targetFingerprint}`,
    isExpected: false,
  };
}

const rowsText = (rows: number) => (rows === 1 ? '1 row' : `${rows} rows`);

function sumOf(name: string, leaves: readonly ComparedTable[]): ComparedTable {
  const start: ComparedTable = {
    table: name,
    rows: 0,
    fingerprint: emptyFingerprint,
    targetRows: 0,
    targetFingerprint: emptyFingerprint,
  };
  return leaves.reduce(
    (sum, leaf) => ({
      table: name,
      rows: sum.rows + leaf.rows,
      fingerprint: addFingerprints(sum.fingerprint, leaf.fingerprint),
      targetRows: sum.targetRows + leaf.targetRows,
      targetFingerprint: addFingerprints(sum.targetFingerprint, leaf.targetFingerprint),
    }),
    start,
  );
}
