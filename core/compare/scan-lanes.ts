/**
 * Reads tables from end to end for their count and fingerprint, over several sessions at once. Nothing is kept of a row.
 *
 * Invariants: a piece's facts are those of a COPY that ended well; a reader's memory goes on to another session only when
 * the one before is closed (core/copy/copy-reader.ts).
 */
import { isHoldfastError } from '../contract/errors.ts';
import type { Slice } from '../contract/plan.ts';
import { CopyReader, type CopyResult } from '../copy/copy-reader.ts';
import { copyStatement, quotedTable } from '../copy/copy-statement.ts';
import type { Session } from '../postgres/session.ts';

export interface ScanOptions<P> {
  readonly sliceOf: (piece: P) => Slice;
  /** Sessions at once. */
  readonly lanes: number;
  /** Opens a session that is in a transaction. */
  readonly open: () => Promise<Session>;
  /** oids of tables that are read with row_security = on (core/snapshot/table-rights.ts). */
  readonly openTables: ReadonlySet<number>;
  readonly onPiece: (piece: P, facts: CopyResult) => void;
  /** Told of a piece with a row beyond 1 GB of text; without it that is an error. */
  readonly onTooLarge?: (piece: P) => void;
  /** Asked before each piece but the first: true leaves the rest. */
  readonly isOver?: () => boolean;
  readonly signal?: AbortSignal;
}

const idleReaders: CopyReader[] = [];

/** @returns pieces that were not begun because the time was over */
export async function scanPieces<P>(pieces: readonly P[], options: ScanOptions<P>): Promise<P[]> {
  const queue = [...pieces];
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    let current: Lane | undefined;
    try {
      while (queue.length > 0 && !hasFailed) {
        options.signal?.throwIfAborted();
        if (current !== undefined && options.isOver?.()) return;
        const piece = queue.shift() as P;
        current ??= await openLane(options.open);
        if (!(await scanOne(current, piece, options))) {
          current.session.destroy();
          current = undefined;
        }
      }
    } catch (error) {
      hasFailed = true;
      current?.session.destroy();
      current = undefined;
      throw error;
    } finally {
      if (current !== undefined) await closeLane(current);
    }
  };
  const lanes = Array.from({ length: Math.min(options.lanes, pieces.length) }, lane);
  const outcomes = await Promise.allSettled(lanes);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return queue;
}

interface Lane {
  readonly session: Session;
  readonly reader: CopyReader;
}

const openLane = async (open: () => Promise<Session>): Promise<Lane> => ({
  session: await open(),
  reader: idleReaders.pop() ?? new CopyReader(),
});

async function closeLane({ session, reader }: Lane): Promise<void> {
  await session.close();
  idleReaders.push(reader);
}

/** @returns false when the session is of no more use: its transaction has failed */
async function scanOne<P>(lane: Lane, piece: P, options: ScanOptions<P>): Promise<boolean> {
  const slice = options.sliceOf(piece);
  const isOpen = slice.of === 'table' && options.openTables.has(slice.oid);
  if (isOpen) await lane.session.query('SET LOCAL row_security = on');
  const copy = lane.reader.copy(lane.session, {
    sql: copyStatement(slice, isOpen),
    format: slice.of === 'table' ? slice.format : 'text',
    what: `Reading ${slice.of === 'table' ? quotedTable(slice) : 'large objects'}`,
  });
  try {
    for await (const _ of copy) {
      // The reader hashes; nobody needs the text.
    }
  } catch (error) {
    const isTooLarge = isHoldfastError(error, 'RowTooLargeForTextError');
    if (!isTooLarge || options.onTooLarge === undefined) throw error;
    options.onTooLarge(piece);
    return false;
  }
  if (isOpen) await lane.session.query('SET LOCAL row_security = off');
  options.onPiece(piece, copy.result);
  return true;
}
