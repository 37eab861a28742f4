/**
 * One object of a manifest: is each of its segments what was dumped?
 *
 * Invariant: a missing, truncated, changed or exchanged object is a verdict that names object and table, never an
 * error. "May not look" is an error, never a verdict.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { ObjectVerdict, VerdictProblem } from '../contract/plan.ts';
import { type HeldSegment, isTiled, segmentsOf } from './object-contents.ts';
import { hashStored, type ReadDeps, type StoredObject } from './read-segment.ts';
import { storedFinding, type Finding, verifySegment } from './verify-segment.ts';

export type VerifyDeps = ReadDeps & Partial<Pick<Deps, 'progress'>>;

export interface VerifyObjectOptions {
  /** Sizes and SHA-256 of the stored bytes only: nothing is decrypted. */
  readonly isQuick?: boolean;
}

/** @param index into `manifest.objects` */
export async function verifyObject(
  deps: VerifyDeps,
  manifest: Manifest,
  index: number,
  options: VerifyObjectOptions = {},
): Promise<ObjectVerdict> {
  const object = manifest.objects[index];
  if (object === undefined) {
    throw new HoldfastError(
      'InternalError',
      `Object ${index} was asked for; ${manifest.backupId} has ${manifest.objects.length}.`,
    );
  }
  const held = segmentsOf(manifest, index);
  const problems: VerdictProblem[] = [];
  const add = (table: string | null, { kind, detail }: Finding) =>
    problems.push({ object: object.key, table, kind, detail });

  const size = await storedSize(deps, object);
  let rows = 0;
  if (typeof size !== 'number') {
    for (const table of tablesOf(held)) add(table, size);
  } else {
    if (size > object.storedBytes) {
      add(null, { kind: 'size', detail: `${size} bytes; the manifest says ${object.storedBytes}` });
    }
    if (size < object.storedBytes && held.length === 0) add(null, truncatedAt(size, object));
    const tell = (table: string, rawBytes: number, segmentRows: number, storedBytes: number) =>
      deps.progress?.({ state: 'VerifyUnit', unit: index, table, rawBytes, rows: segmentRows, storedBytes });
    if (options.isQuick === true) {
      const findings = await compareStored(deps, object, held, size);
      for (const { table, finding } of findings) add(table, finding);
      tell(tablesOf(held)[0] ?? '', 0, 0, size);
    } else {
      for (const each of held) {
        const end = each.segment.offset + each.segment.storedBytes;
        if (end > size) {
          add(each.table, truncatedAt(size, object));
          continue;
        }
        const result = await verifySegment(deps, object, each);
        if (result.finding !== undefined) add(each.table, result.finding);
        rows += result.rows;
        tell(each.table, result.rawBytes, result.rows, each.segment.storedBytes);
      }
      // Bytes that belong to no segment of this backup (an older backup's object) still have the object's hash.
      if (problems.length === 0 && !isTiled(held, object.storedBytes)) {
        for (const { table, finding } of await compareStored(deps, object, held, size)) {
          add(table, finding);
        }
      }
    }
  }
  return {
    object: object.key,
    verdict: problems.length === 0 ? 'intact' : 'damaged',
    segments: held.length,
    rows,
    storedBytes: typeof size === 'number' ? size : 0,
    problems,
  };
}

async function storedSize(deps: VerifyDeps, object: StoredObject): Promise<number | Finding> {
  try {
    return (await deps.vault.head(object.key)).storedBytes;
  } catch (error) {
    const finding = storedFinding(error);
    if (finding === undefined) throw error;
    return finding;
  }
}

/** Compares hashes of what is stored; when the object's is wrong, looks in which segments. */
async function compareStored(
  deps: VerifyDeps,
  object: StoredObject,
  held: readonly HeldSegment[],
  size: number,
): Promise<{ table: string | null; finding: Finding }[]> {
  const length = Math.min(size, object.storedBytes);
  const whole = await storedHash(deps, object, { offset: 0, length });
  if (whole === object.sha256) return [];
  if (typeof whole !== 'string') return tablesOf(held).map((table) => ({ table, finding: whole }));
  const found: { table: string | null; finding: Finding }[] = [];
  for (const { table, segment } of held) {
    const range = { offset: segment.offset, length: segment.storedBytes };
    const isInside = range.offset + range.length <= size;
    const sha256 = isInside ? await storedHash(deps, object, range) : truncatedAt(size, object);
    if (typeof sha256 !== 'string') found.push({ table, finding: sha256 });
    else if (sha256 !== segment.sha256) found.push({ table, finding: wrongHash(sha256, segment.sha256) });
  }
  if (found.length === 0) found.push({ table: null, finding: wrongHash(whole, object.sha256) });
  return found;
}

async function storedHash(
  deps: VerifyDeps,
  object: StoredObject,
  range: { offset: number; length: number },
): Promise<string | Finding> {
  try {
    return await hashStored(deps, object, range);
  } catch (error) {
    const finding = storedFinding(error);
    if (finding === undefined) throw error;
    return finding;
  }
}

const wrongHash = (found: string, said: string): Finding => ({
  kind: 'hash',
  detail: `SHA-256 of the stored bytes: ${found}, not ${said}`,
});

const truncatedAt = (size: number, object: StoredObject): Finding => ({
  kind: 'truncated',
  detail: `${size} bytes are left of ${object.storedBytes}`,
});

/** Each table once; an object that holds nothing of this backup is a problem of the object. */
function tablesOf(held: readonly HeldSegment[]): (string | null)[] {
  return held.length === 0 ? [null] : [...new Set(held.map(({ table }) => table))];
}
