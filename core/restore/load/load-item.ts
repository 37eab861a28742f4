/**
 * One segment into its place, within the caller's transaction.
 *
 * Invariant: when it returns, the segment was whole and authentic to its last byte, its rows and their fingerprint are
 * those of the manifest, and the server has taken as many rows. Otherwise it throws, and the caller rolls back.
 */
import { HoldfastError, isHoldfastError } from '../../contract/errors.ts';
import type { Manifest, Segment } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { type CopyInRequest, writeCopy } from '../../copy/copy-writer.ts';
import type { Session } from '../../postgres/session.ts';
import { openSegment, type SegmentDeps } from '../../verify/read-segment.ts';
import { copyPages, pagesTable, writePages } from './large-object-data.ts';
import type { LoadItem } from './load-batches.ts';
import { loadTargetOf, quoted } from './load-target.ts';

export interface LoadContext {
  readonly deps: SegmentDeps;
  readonly run: RestoreRun;
  readonly manifest: Manifest;
  /** Told of each chunk that was sent, plain bytes. */
  readonly onSent: (bytes: number) => void;
}

/** In the bookkeeping. */
export const nameOfItem = ({ what, table, segment }: LoadItem): string =>
  what === 'table' ? `load:${table}:${segment}` : `large-objects:data:${segment}`;

/** For people. */
export function labelOfItem({ tables }: Manifest, { table }: LoadItem): string {
  const entry = table === null ? undefined : tables[table];
  return entry === undefined ? 'large objects' : quoted(entry);
}

/** @throws ManifestInvalidError when the manifest has no such segment */
export function segmentOf({ tables, largeObjects }: Manifest, item: LoadItem): Segment {
  const { segments } =
    (item.table === null ? largeObjects.data : tables[item.table]) ?? largeObjects.data;
  const segment = segments[item.segment];
  if (segment !== undefined) return segment;
  throw new HoldfastError('ManifestInvalidError', `The manifest has no ${nameOfItem(item)}.`);
}

/**
 * @returns rows
 * @throws ObjectNotFoundError, ObjectTruncatedError, ObjectDamagedError, DecryptionError; what `writeCopy` throws
 */
export async function loadItem(
  session: Session,
  context: LoadContext,
  item: LoadItem,
): Promise<number> {
  const { run, manifest } = context;
  if (item.table === null) {
    await session.query(pagesTable);
    const rows = await copySegment(session, context, item, copyPages);
    await writePages(session);
    return rows;
  }
  const target = await loadTargetOf(session, run, manifest, item.table, item.segment);
  for (const statement of target.before) await session.query(statement);
  return copySegment(session, context, item, target.copy);
}

/** Any segment into any table. */
export async function copySegment(
  session: Session,
  { deps, manifest, onSent }: Omit<LoadContext, 'run'>,
  item: LoadItem,
  sql: string,
): Promise<number> {
  const segment = segmentOf(manifest, item);
  return copyChecked(session, { deps, manifest, onSent }, segment, {
    sql,
    format: segment.format,
    what: `Loading ${labelOfItem(manifest, item)}`,
  });
}

/** @returns rows, which are as many as the manifest says */
export async function copyChecked(
  session: Session,
  { deps, manifest, onSent }: Omit<LoadContext, 'run'>,
  segment: Segment,
  request: CopyInRequest,
): Promise<number> {
  const object = manifest.objects[segment.object];
  if (object === undefined) {
    throw new HoldfastError('ManifestInvalidError', `A segment lies in no object.`);
  }
  const { plain } = await openSegment(deps, object, segment, { isMemoryReused: true });
  try {
    const { rows, fingerprint } = await writeCopy(session, request, plain, onSent);
    if (rows === segment.rows && fingerprint === segment.fingerprint) return rows;
    throw new HoldfastError(
      'ObjectDamagedError',
      `${request.what}: ${rows} rows with fingerprint ${fingerprint} came; the manifest says ${segment.rows} with ${segment.fingerprint}.`,
      { evidence: { key: object.key, offset: segment.offset } },
    );
  } catch (error) {
    throw asDamage(error, object.key);
  }
}

/** zstd tells of damage in its own words. */
function asDamage(error: unknown, key: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (isHoldfastError(error) || !/^(ZSTD_|Z_)/.test(code)) return error;
  return new HoldfastError('ObjectDamagedError', `${key} cannot be decompressed: ${message}.`, {
    cause: error,
  });
}
