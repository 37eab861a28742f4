/**
 * Reads one segment from end to end and compares everything that the manifest says of it.
 *
 * Invariant: damage is a result. Only what keeps us from looking (no access, a failing disk) is thrown.
 */
import { isHoldfastError } from '../contract/errors.ts';
import type { VerdictProblem } from '../contract/plan.ts';
import { createRowHasher } from '../fingerprint/row-hash.ts';
import type { HeldSegment } from './object-contents.ts';
import { hashStored, openSegment, type ReadDeps, type StoredObject } from './read-segment.ts';

export type Finding = Pick<VerdictProblem, 'kind' | 'detail'>;

export interface SegmentResult {
  readonly rows: number;
  readonly rawBytes: number;
  readonly finding: Finding | undefined;
}

export async function verifySegment(
  deps: ReadDeps,
  object: StoredObject,
  { segment }: HeldSegment,
): Promise<SegmentResult> {
  const hasher = segment.format === undefined ? undefined : createRowHasher(segment.format);
  let rawBytes = 0;
  let counted = { rows: 0, fingerprint: '' };
  let compressedBytes = 0;
  try {
    const stream = await openSegment(deps, object, segment);
    for await (const chunk of stream.plain) {
      rawBytes += (chunk as Buffer).length;
      hasher?.update(chunk as Buffer);
    }
    compressedBytes = stream.compressedBytes();
    if (hasher !== undefined) counted = hasher.finish();
  } catch (error) {
    const finding = await findingOf(deps, object, segment, error);
    return { rows: 0, rawBytes, finding };
  }
  const finding =
    differs('size', 'plain bytes', segment.rawBytes, rawBytes) ??
    differs('size', 'compressed bytes', segment.compressedBytes, compressedBytes) ??
    (segment.rows === undefined
      ? undefined
      : differs('rows', 'rows', segment.rows, counted.rows)) ??
    (segment.fingerprint === undefined
      ? undefined
      : differs('fingerprint', 'the fingerprint', segment.fingerprint, counted.fingerprint));
  return { rows: counted.rows, rawBytes, finding };
}

function differs<T>(kind: Finding['kind'], what: string, said: T, found: T): Finding | undefined {
  if (said === found) return undefined;
  return { kind, detail: `${what}: the manifest says ${said}, found ${found}` };
}

async function findingOf(
  deps: ReadDeps,
  object: StoredObject,
  segment: HeldSegment['segment'],
  error: unknown,
): Promise<Finding> {
  const stored = storedFinding(error);
  if (stored !== undefined) return stored;
  const detail = error instanceof Error ? error.message : String(error);
  const isDecryption = isHoldfastError(error, 'DecryptionError');
  const isZstd = /^(ZSTD_|Z_)/.test((error as NodeJS.ErrnoException).code ?? '');
  // A row that does not end is the hasher's CopyIncompleteError.
  const isContent = isHoldfastError(error, 'CopyIncompleteError');
  if (!isDecryption && !isZstd && !isContent) throw error;
  // Decryption gives up at the first bad frame, before the hash is known: which of the two is it?
  const range = { offset: segment.offset, length: segment.storedBytes };
  const sha256 = await hashStored(deps, object, range);
  if (sha256 !== segment.sha256) {
    return {
      kind: 'hash',
      detail: `SHA-256 of the stored bytes: ${sha256}, not ${segment.sha256}`,
    };
  }
  if (isContent) return { kind: 'fingerprint', detail };
  return { kind: isDecryption ? 'decryption' : 'decompression', detail };
}

/** What can be wrong with the stored bytes themselves; undefined for any other error. */
export function storedFinding(error: unknown): Finding | undefined {
  if (isHoldfastError(error, 'ObjectNotFoundError'))
    return { kind: 'missing', detail: error.message };
  if (isHoldfastError(error, 'ObjectTruncatedError')) {
    return { kind: 'truncated', detail: error.message };
  }
  if (isHoldfastError(error, 'ObjectDamagedError')) return { kind: 'hash', detail: error.message };
  return undefined;
}
