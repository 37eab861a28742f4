/**
 * Streams the slices of a unit, one after another, as segments into one object.
 *
 * Invariant: a segment is recorded only when its COPY ended well and all its bytes are with the writer. A slice that is
 * given up leaves bytes that no segment points to.
 */
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Receipt, Slice } from '../contract/plan.ts';
import { CopyReader, type CopyStream } from '../copy/copy-reader.ts';
import { copyStatement, quotedTable } from '../copy/copy-statement.ts';
import { writeSegment } from '../copy/segment-writer.ts';
import type { ObjectEncryptor } from '../keyring/key-ring.ts';
import type { Session } from '../postgres/session.ts';
import type { ObjectWriter } from '../vault/vault.ts';
import type { MeterReading } from './progress-meter.ts';

export type DumpedSegment = Receipt['segments'][number];

/** Instances are used again: their memory is not given back soon, and units are many. */
const idleReaders: CopyReader[] = [];

/** What stands for the slice in messages. */
export function labelOf(slice: Slice): string {
  return slice.of === 'table' ? quotedTable(slice) : `large objects (${slice.by})`;
}

export class SliceStream {
  readonly segments: DumpedSegment[] = [];
  readonly #session: Session;
  readonly #encryptor: ObjectEncryptor;
  readonly #writer: ObjectWriter;
  /** oids of tables that need row_security = on. */
  readonly #openTables: ReadonlySet<number>;
  readonly #reader = idleReaders.pop() ?? new CopyReader();
  #current: CopyStream | undefined;
  #label = '';
  #rawBytes = 0;
  #rows = 0;
  #storedBytes = 0;

  constructor(
    session: Session,
    encryptor: ObjectEncryptor,
    writer: ObjectWriter,
    openTables: readonly number[],
  ) {
    this.#session = session;
    this.#encryptor = encryptor;
    this.#writer = writer;
    this.#openTables = new Set(openTables);
  }

  /** Totals so far, with what the slice under way has brought. */
  reading(): MeterReading & { readonly table: string } {
    return {
      table: this.#label,
      rawBytes: this.#rawBytes + (this.#current?.rawBytes ?? 0),
      rows: this.#rows + (this.#current?.rows ?? 0),
      storedBytes: this.#storedBytes,
    };
  }

  /**
   * @throws what the COPY reader throws; RowTooLargeForTextError only for a slice in text. After an error the session
   * and this object are of no more use.
   */
  async dump(slice: Slice, signal: AbortSignal): Promise<void> {
    this.#label = labelOf(slice);
    const format = slice.of === 'table' ? slice.format : 'text';
    const offset = this.#storedBytes;
    const isOpen = slice.of === 'table' && this.#openTables.has(slice.oid);
    if (isOpen) await this.#session.query('SET LOCAL row_security = on');
    const copy = this.#reader.copy(this.#session, {
      sql: copyStatement(slice, isOpen),
      format,
      what: `Reading ${this.#label}`,
    });
    this.#current = copy;
    const stored = await this.#write(copy, slice, offset, signal);
    if (isOpen) await this.#session.query('SET LOCAL row_security = off');
    const { rows, fingerprint, rawBytes } = copy.result;
    this.#current = undefined;
    this.#rawBytes += rawBytes;
    this.#rows += rows;
    const blocks = slice.of === 'table' && slice.blocks ? { blocks: slice.blocks } : {};
    const segment = {
      object: 0,
      offset,
      ...stored,
      rawBytes,
      rows,
      fingerprint,
      format,
      ...blocks,
    };
    this.segments.push({ slice, segment });
  }

  async #write(copy: CopyStream, slice: Slice, offset: number, signal: AbortSignal) {
    try {
      return await writeSegment(copy, this.#encryptor, this.#writer, {
        expectedBytes: slice.estimatedBytes,
        offset,
        signal,
        onStored: (bytes) => {
          this.#storedBytes += bytes;
        },
      });
    } catch (error) {
      const isBinary = slice.of === 'table' && slice.format === 'binary';
      if (!isBinary || !isHoldfastError(error, 'RowTooLargeForTextError')) throw error;
      throw new HoldfastError('CopyFailedError', `Even as binary COPY: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Gives the reader's memory to the next unit; only when all slices have ended well and the session is closed. */
  close(): void {
    idleReaders.push(this.#reader);
  }
}
