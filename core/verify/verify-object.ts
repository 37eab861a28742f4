/**
 * One object of a manifest: is each of its segments what was dumped?
 *
 * Invariant: a missing, truncated, changed or exchanged object is a verdict that names object and table, never an
 * error. "May not look" is an error, never a verdict.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { ObjectVerdict } from '../contract/plan.ts';
import { inParallel } from '../in-parallel.ts';
import { type HeldSegment, isTiled, segmentsOf } from './object-contents.ts';
import { hashStored, type ReadDeps, type StoredObject } from './read-segment.ts';
import { type Finding, storedFinding, verifySegment } from './verify-segment.ts';

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
  const size = await storedSize(deps, object);
  const isThere = typeof size === 'number';
  const look = options.isQuick === true ? lookQuickly : lookFully;
  const { rows, findings } = isThere
    ? await look({ deps, object, held, size, index })
    : { rows: 0, findings: tablesOf(held).map((table) => ({ table, ...size })) };
  const problems = findings.map((finding) => ({ object: object.key, ...finding }));
  return {
    object: object.key,
    verdict: problems.length === 0 ? 'intact' : 'damaged',
    segments: held.length,
    rows,
    storedBytes: isThere ? size : 0,
    problems,
  };
}

interface Look {
  readonly deps: VerifyDeps;
  readonly object: StoredObject;
  readonly held: readonly HeldSegment[];
  /** Bytes that are stored now. */
  readonly size: number;
  readonly index: number;
}

type TableFinding = Finding & { readonly table: string | null };

interface Seen {
  readonly rows: number;
  readonly findings: TableFinding[];
}

async function lookQuickly(look: Look): Promise<Seen> {
  const findings = [...tooLong(look), ...(await compareStored(look))];
  look.deps.progress?.({ state: 'VerifyUnit', unit: look.index, storedBytes: look.size });
  return { rows: 0, findings };
}

async function lookFully(look: Look): Promise<Seen> {
  const { held, size, object } = look;
  const findings: TableFinding[] = [];
  const results = await inParallel(held, segmentsAtOnce(held), async (each) => {
    const { offset, storedBytes } = each.segment;
    if (offset + storedBytes > size) return { rows: 0, finding: truncatedAt(size, object) };
    const result = await verifySegment(look.deps, object, each);
    const { rows, rawBytes } = result;
    look.deps.progress?.({
      state: 'VerifyUnit',
      unit: look.index,
      table: each.table,
      rawBytes,
      rows,
      storedBytes,
    });
    return result;
  });
  for (const [i, { finding }] of results.entries()) {
    if (finding !== undefined) findings.push({ table: held[i]?.table ?? null, ...finding });
  }
  // Bytes that belong to no segment of this backup (an older backup's object) still have the object's hash.
  if (findings.length === 0 && !isTiled(held, object.storedBytes)) {
    findings.push(...(await compareStored(look)));
  }
  const rows = results.reduce((sum, result) => sum + result.rows, 0);
  return { rows, findings: [...tooLong(look), ...findings] };
}

/** A thousand tiny tables would mostly wait for the thread pool; large segments keep it busy, and memory small. */
const segmentsAtOnce = (held: readonly HeldSegment[]): number =>
  held.every(({ segment }) => segment.rawBytes <= 1 << 20) ? 8 : 1;

function tooLong({ size, object }: Look): TableFinding[] {
  if (size <= object.storedBytes) return [];
  const detail = `${size} bytes; the manifest says ${object.storedBytes}`;
  return [{ table: null, kind: 'size', detail }];
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
async function compareStored({ deps, object, held, size }: Look): Promise<TableFinding[]> {
  const length = Math.min(size, object.storedBytes);
  const whole = await storedHash(deps, object, { offset: 0, length });
  if (typeof whole !== 'string') return tablesOf(held).map((table) => ({ table, ...whole }));
  if (whole === object.sha256) return [];
  const found: TableFinding[] = [];
  for (const { table, segment } of held) {
    const range = { offset: segment.offset, length: segment.storedBytes };
    const isInside = range.offset + range.length <= size;
    const seen = isInside ? await storedHash(deps, object, range) : truncatedAt(size, object);
    if (typeof seen !== 'string') found.push({ table, ...seen });
    else if (seen !== segment.sha256) found.push({ table, ...wrongHash(seen, segment.sha256) });
  }
  const isShort = size < object.storedBytes;
  const rest = isShort ? truncatedAt(size, object) : wrongHash(whole, object.sha256);
  return found.length > 0 ? found : [{ table: null, ...rest }];
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
