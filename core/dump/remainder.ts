/**
 * What a part of a unit left undone: it follows from its receipt, which is written once, so that two attempts of the same
 * part can never disagree about it.
 */
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { type Receipt, type Slice, type Unit, unitSchema } from '../contract/plan.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Workspace } from '../vault/vault.ts';
import { readBinaryMarks, withBinaryMarks } from './binary-marks.ts';

export async function readUnit(
  workspace: Workspace,
  runId: string,
  unit: number,
  part: number,
): Promise<Unit> {
  const record = await getJson(workspace, unitSchema, workspaceKeys.unit(runId, unit, part));
  if (record !== undefined) return record;
  throw new HoldfastError('InternalError', `Run ${runId} has no unit ${unit}, part ${part}.`);
}

/**
 * Writes the next part. Does nothing when it is there: any two of them cover the same rows.
 *
 * @param blocksOf how many blocks a table has now; asked only when a slice has to be cut
 */
export async function writeRemainder(
  workspace: Workspace,
  runId: string,
  receipt: Receipt,
  blocksOf: (oid: number) => Promise<number>,
): Promise<void> {
  const key = workspaceKeys.unit(runId, receipt.unit, receipt.part + 1);
  if ((await workspace.get(key)) !== undefined) return;
  const { slices } = await readUnit(workspace, runId, receipt.unit, receipt.part);
  const marks = await readBinaryMarks(workspace, runId);
  const done = new Set(receipt.segments.map(({ slice }) => identityOf(slice)));
  const rest = withBinaryMarks(slices, receipt, marks).filter(
    (slice) => !done.has(identityOf(slice)),
  );
  const [first, ...others] = rest;
  // The first slice alone was too long for a whole part.
  const isTooLong = first !== undefined && receipt.segments.length === 0;
  // Empty when other units have taken over all that is left, as binary: then the next part ends the unit.
  const left = isTooLong ? [...(await halve(first, blocksOf)), ...others] : rest;
  const next: Unit = { unit: receipt.unit, part: receipt.part + 1, slices: left };
  try {
    await putJson(workspace, key, next, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
  }
}

function identityOf(slice: Slice): string {
  return slice.of === 'table'
    ? JSON.stringify([slice.oid, slice.blocks?.from, slice.blocks?.to, slice.format])
    : JSON.stringify([slice.by, slice.fromOid, slice.toOid]);
}

/** Can the slice be cut in two? An only block or object cannot, nor can a table that is chosen by a condition. */
export function isDivisible(slice: Slice): boolean {
  if (slice.of === 'large-objects') return slice.toOid > slice.fromOid;
  if (slice.where !== undefined) return false;
  const { from, to } = slice.blocks ?? { from: 0, to: null };
  return to === null || to - from > 1;
}

/** The cut may be anywhere: both halves together are the slice, whatever the number of blocks is. */
async function halve(slice: Slice, blocksOf: (oid: number) => Promise<number>): Promise<Slice[]> {
  const estimatedBytes = Math.ceil(slice.estimatedBytes / 2);
  if (slice.of === 'large-objects') {
    const middle = Math.floor((slice.fromOid + slice.toOid) / 2);
    return [
      { ...slice, toOid: middle, estimatedBytes },
      { ...slice, fromOid: middle + 1, estimatedBytes },
    ];
  }
  const { from, to } = slice.blocks ?? { from: 0, to: null };
  const end = to ?? Math.max(await blocksOf(slice.oid), from + 2);
  const middle = Math.floor((from + end) / 2);
  return [
    { ...slice, blocks: { from, to: middle }, estimatedBytes },
    { ...slice, blocks: { from: middle, to }, estimatedBytes },
  ];
}
