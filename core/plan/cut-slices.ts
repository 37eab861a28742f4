/**
 * Cuts tables into slices: a table larger than the chunk becomes ranges of blocks, a smaller one is a slice as a whole.
 *
 * Invariant: the ranges of a table follow on each other from block 0, and the last one is open: rows that were written
 * behind the measured end before the snapshot are in it.
 */

import type { Slice } from '../contract/plan.ts';
import type { TableFacts } from '../inventory/tables.ts';

/** @param chunkBytes aim for one slice, bytes on disk with TOAST */
export function cutTable(facts: TableFacts, chunkBytes: number): Slice[] {
  const { table, blocks, bytes, isHeap } = facts;
  if (table.dataExcluded !== undefined) return [];
  const whole = {
    of: 'table',
    oid: table.oid,
    schema: table.schema,
    name: table.name,
    columns: table.columns,
    ...(table.where === undefined ? {} : { where: table.where }),
    format: 'text',
  } as const;
  const ranges = isHeap ? Math.min(Math.ceil(bytes / chunkBytes), blocks) : 1;
  if (ranges <= 1) return [{ ...whole, estimatedBytes: bytes }];
  // Blocks are scaled by what they hold outside of them: one range is `bytes / ranges` with its TOAST.
  const start = (index: number) => Math.floor((blocks * index) / ranges);
  return Array.from({ length: ranges }, (_, index) => ({
    ...whole,
    blocks: { from: start(index), to: index === ranges - 1 ? null : start(index + 1) },
    estimatedBytes: Math.round((bytes * (start(index + 1) - start(index))) / blocks),
  }));
}
