/**
 * Reads COPY … TO STDOUT: the only COPY reader of Holdfast.
 *
 * Invariants: a stream that ends without an error brought exactly the rows that CommandComplete counts; memory is fixed
 * (a window and three blocks), whatever the size of rows and table; a consumer that stops early ends the statement.
 */

import { HoldfastError } from '../contract/errors.ts';
import type { CopyFormat } from '../contract/manifest.ts';
import { formatFingerprint } from '../fingerprint/fingerprint.ts';
import { type RowFacts, requireTrailer } from '../fingerprint/row-hash.ts';
import { instantiateFingerprint, type Region } from '../fingerprint/wasm-instance.ts';
import { readDirectly } from '../postgres/direct-socket.ts';
import { type RawSocket, takeSocket } from '../postgres/raw-socket.ts';
import type { Session } from '../postgres/session.ts';
import { sendCancelRequest } from './cancel-request.ts';
import { ControlMessages } from './control-messages.ts';
import { queryMessage } from './query-message.ts';
import { ReadPacer } from './read-pacer.ts';
import { mapCopyError } from './server-error.ts';

export interface CopyRequest {
  readonly sql: string;
  readonly format: CopyFormat;
  /** `Reading "public"."orders"`: how an error's message begins. */
  readonly what: string;
}

export interface CopyResult extends RowFacts {
  readonly rawBytes: number;
}

/** One frame of the encryption and one write of zstd. */
export const blockBytes = 1 << 20;
/** One being filled, one in zstd, one ready for it. */
const blockCount = 3;
const windowBytes = 256 * 1024;
/** Answers of `deframe` (assembly/deframe.ts); 0 is "input used". */
const blockFull = 1;
const otherMessage = 2;
const textBroken = 3;

/**
 * Owns the memory; reads one COPY after another. It may go on to another session when the one before is closed: a plain
 * socket writes into the window (direct-socket.ts).
 */
export class CopyReader {
  readonly #instance = instantiateFingerprint([
    windowBytes,
    ...Array.from({ length: blockCount }, () => blockBytes),
  ]);

  /** Nothing is sent before the first block is asked for. */
  copy(session: Session, request: CopyRequest): CopyStream {
    return new CopyStream(this.#instance, session, request);
  }
}

export class CopyStream implements AsyncIterable<Buffer> {
  readonly #wasm;
  readonly #window: Region;
  readonly #free: Region[];
  readonly #session: Session;
  readonly #request: CopyRequest;
  readonly #control = new ControlMessages();
  #raw: RawSocket | undefined;
  #pacer: ReadPacer | undefined;
  /** What came from the socket and does not fit into the window yet. */
  #backlog: Buffer[] = [];
  #inputAt = 0;
  #inputEnd = 0;
  #filling: Region | undefined;
  #fill = 0;
  #ready: { region: Region; length: number }[] = [];
  #rawBytes = 0;
  #result: CopyResult | undefined;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(
    instance: ReturnType<typeof instantiateFingerprint>,
    session: Session,
    request: CopyRequest,
  ) {
    const [window, ...blocks] = instance.regions as [Region, ...Region[]];
    this.#wasm = instance.wasm;
    this.#window = window;
    this.#free = blocks;
    this.#session = session;
    this.#request = request;
  }

  /** Plain bytes so far. */
  get rawBytes(): number {
    return this.#rawBytes;
  }

  /** Rows so far. */
  get rows(): number {
    return Number(this.#wasm.getRowCount());
  }

  /** @throws InternalError before the last block was taken */
  get result(): CopyResult {
    if (this.#result === undefined) {
      throw new HoldfastError(
        'InternalError',
        'The result of a COPY was asked for before its end.',
      );
    }
    return this.#result;
  }

  /**
   * Blocks of exactly 1 MiB, but the last. A block is the consumer's until it asks for the next one.
   *
   * @throws ConnectionLostError, CopyIncompleteError, RowTooLargeForTextError, EncodingError, CopyFailedError,
   * PermissionDeniedError, RowSecurityError
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    this.#start();
    try {
      for (;;) {
        const next = this.#ready.shift();
        if (next !== undefined) {
          yield next.region.bytes.subarray(0, next.length);
          this.#free.push(next.region);
          this.#pump();
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#result !== undefined) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#pacer?.stop();
      if (!this.#control.isReady) await this.#abandon();
    }
  }

  #start(): void {
    const { sql, format } = this.#request;
    this.#wasm.resetSum();
    this.#wasm.resetRows();
    this.#wasm.resetDeframe(format === 'binary' ? 1 : 0);
    const raw = takeSocket(this.#session);
    this.#raw = raw;
    this.#pacer = new ReadPacer(raw.socket);
    raw.onLost((error) => this.#fail(error));
    const onChunk = (chunk: Buffer): void => {
      this.#backlog.push(chunk);
      this.#pacer?.noteRead(chunk.length);
      this.#pump();
    };
    const onRead = (bytes: number): void => {
      this.#inputAt = 0;
      this.#inputEnd = bytes;
      this.#pacer?.noteRead(bytes);
      this.#pump();
    };
    const isDirect = readDirectly(raw.socket, { window: this.#window.bytes, onRead, onChunk });
    if (isDirect) raw.socket.resume();
    else raw.onData(onChunk);
    raw.write(queryMessage(sql));
  }

  #release(): void {
    if (this.#raw === undefined) return;
    readDirectly(this.#raw.socket, undefined);
    this.#raw.release();
  }

  /** Works on what has come until it is used up or all blocks are full. */
  #pump(): void {
    if (this.#failure !== undefined || this.#result !== undefined) return;
    try {
      while (this.#inputAt < this.#inputEnd || this.#refill()) {
        if (this.#control.isIdle) {
          if (!this.#deframe()) return this.#pacer?.block();
        } else {
          this.#takeControl();
        }
        if (this.#control.isReady) return this.#finish();
      }
      this.#pacer?.unblock();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns false when nothing is there */
  #refill(): boolean {
    const chunk = this.#backlog.shift();
    if (chunk === undefined) return false;
    const piece = chunk.subarray(0, windowBytes);
    if (piece.length < chunk.length) this.#backlog.unshift(chunk.subarray(piece.length));
    this.#window.bytes.set(piece);
    this.#inputAt = 0;
    this.#inputEnd = piece.length;
    return true;
  }

  /** @returns false when there is no block to put rows into */
  #deframe(): boolean {
    this.#filling ??= this.#free.shift();
    const block = this.#filling;
    if (block === undefined) return false;
    const wasm = this.#wasm;
    const stop = wasm.deframe(
      this.#window.address + this.#inputAt,
      this.#inputEnd - this.#inputAt,
      block.address + this.#fill,
      blockBytes - this.#fill,
    );
    const produced = wasm.getProduced();
    this.#inputAt += wasm.getConsumed();
    this.#fill += produced;
    this.#rawBytes += produced;
    if (stop === blockFull) this.#hand();
    if (stop === otherMessage) this.#takeControl();
    if (stop === textBroken) {
      throw new HoldfastError(
        'CopyIncompleteError',
        `${this.#request.what}: row ${this.rows + 1} does not end in a newline.`,
      );
    }
    return true;
  }

  #takeControl(): void {
    const rest = this.#window.bytes.subarray(this.#inputAt, this.#inputEnd);
    this.#inputAt += this.#control.take(rest);
  }

  /** Gives the block that is being filled to the consumer. */
  #hand(): void {
    if (this.#filling === undefined || this.#fill === 0) return;
    this.#ready.push({ region: this.#filling, length: this.#fill });
    this.#filling = undefined;
    this.#fill = 0;
    this.#signal();
  }

  #finish(): void {
    this.#release();
    const { completedRows, error } = this.#control;
    const { what, format } = this.#request;
    if (error !== undefined) return this.#fail(mapCopyError(error, what));
    const rows = this.rows;
    if (completedRows !== rows) {
      const said = completedRows === undefined ? 'no end' : `${completedRows} rows`;
      const message = `${what}: the server announced ${said}, and ${rows} rows came.`;
      return this.#fail(new HoldfastError('CopyIncompleteError', message));
    }
    if (format === 'binary') requireTrailer(this.#wasm.getBinaryVerdict(), rows);
    this.#hand();
    const fingerprint = formatFingerprint(this.#wasm.getSumHigh(), this.#wasm.getSumLow());
    this.#result = { rows, fingerprint, rawBytes: this.#rawBytes };
    this.#signal();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    // Blocks that wait belong to a stream that is not whole.
    this.#ready = [];
    this.#signal();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** The consumer stopped, or the stream is broken: the session cannot be used again. */
  async #abandon(): Promise<void> {
    this.#session.destroy();
    await sendCancelRequest(this.#session);
  }
}
