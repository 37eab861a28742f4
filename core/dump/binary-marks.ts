/**
 * Which tables go as binary COPY, because a row of theirs exceeds 1 GB as text.
 *
 * That is found out in the middle of a run, when other units may have dumped blocks of the table as text already, and
 * all segments of a table must be of one format. So the part of a unit that finds it out first marks the table as its
 * own (If-None-Match) and dumps all of it as binary; every other part leaves the table out from then on. Invariant: a
 * table with a mark is complete in its binary segments; text segments of it do not count
 * (`withoutSuperseded`).
 */
import { z } from 'zod';
import { isHoldfastError } from '../contract/errors.ts';
import type { Slice } from '../contract/plan.ts';
import type { TableSlice } from '../copy/copy-statement.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';

const count = z.int().nonnegative();
/** Of the part of a unit that dumps the whole table. */
const binaryMarkSchema = z.strictObject({ unit: count, part: count });
export type BinaryMark = z.infer<typeof binaryMarkSchema>;

/** By oid of the table. */
export async function readBinaryMarks(
  workspace: Workspace,
  runId: string,
): Promise<Map<number, BinaryMark>> {
  const marks = new Map<number, BinaryMark>();
  for await (const key of workspace.list(workspaceKeys.binaryMarks(runId))) {
    const mark = await getJson(workspace, binaryMarkSchema, key);
    if (mark !== undefined) marks.set(Number(key.slice(key.lastIndexOf('/') + 1)), mark);
  }
  return marks;
}

/** The first mark stays. */
export async function markBinary(
  workspace: Workspace,
  runId: string,
  oid: number,
  mark: BinaryMark,
): Promise<void> {
  try {
    await putJson(workspace, workspaceKeys.binaryMark(runId, oid), mark, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
  }
}

/** What this part really has to dump. Slices that are binary already belong to a remainder of the owner's. */
export function withBinaryMarks(
  slices: readonly Slice[],
  self: BinaryMark,
  marks: ReadonlyMap<number, BinaryMark>,
): Slice[] {
  const replaced = new Set<number>();
  return slices.flatMap((slice) => {
    const mark = slice.of === 'table' && slice.format === 'text' ? marks.get(slice.oid) : undefined;
    if (slice.of !== 'table' || mark === undefined) return [slice];
    const isOwn = mark.unit === self.unit && mark.part === self.part;
    if (!isOwn || replaced.has(slice.oid)) return [];
    replaced.add(slice.oid);
    return [wholeAsBinary(slice)];
  });
}

function wholeAsBinary(slice: TableSlice): TableSlice {
  const { blocks, ...rest } = slice;
  return { ...rest, ...(blocks && { blocks: { from: 0, to: null } }), format: 'binary' };
}

/** Of a table that has segments in binary, those in text do not count: the binary ones are the whole table. */
export function withoutSuperseded<T extends { readonly slice: Slice }>(dumped: readonly T[]): T[] {
  const binary = new Set(
    dumped.flatMap(({ slice }) =>
      slice.of === 'table' && slice.format === 'binary' ? [slice.oid] : [],
    ),
  );
  return dumped.filter(
    ({ slice }) => slice.of !== 'table' || slice.format === 'binary' || !binary.has(slice.oid),
  );
}
