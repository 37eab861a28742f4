/**
 * Writes COPY … FROM STDIN: the only COPY writer of Holdfast.
 *
 * Invariants: what is sent is hashed and counted on the way, and the server's own count must be the same; the source is
 * asked for more only when the socket has taken what was sent; whatever fails, the server has either ended the statement
 * (the session may go on with ROLLBACK) or the session is dropped.
 */
import { finished, type Readable } from 'node:stream';
import { HoldfastError } from '../contract/errors.ts';
import type { CopyFormat } from '../contract/manifest.ts';
import type { RowFacts } from '../fingerprint/row-hash.ts';
import { type RawSocket, takeSocket } from '../postgres/raw-socket.ts';
import type { Session } from '../postgres/session.ts';
import { ControlMessages } from './control-messages.ts';
import { mapCopyInError } from './copy-in-error.ts';
import type { CopyResult } from './copy-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { queryMessage } from './query-message.ts';

export interface CopyInRequest {
  readonly sql: string;
  readonly format: CopyFormat;
  /** `Loading "public"."orders"`: how an error's message begins. */
  readonly what: string;
}

const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);
/** CopyFail; the server puts the text into its log. */
const copyFail = Buffer.from('f\0\0\0\x1choldfast: source failed\0', 'latin1');

/**
 * Sends `rows` to the end.
 *
 * @param rows COPY data; destroyed when the server refuses it. A chunk is its own again when the 'data' handler returns.
 * @param onSent told of each chunk that was handed to the socket, plain bytes
 * @returns rows, fingerprint and bytes that were sent; the server has taken as many rows
 * @throws what `rows` ends with (after CopyFail); CopyIncompleteError when the rows are not whole or the server counts
 * others; ConnectionLostError, TargetFullError, RowConflictError, EncodingError, PermissionDeniedError, CopyFailedError
 */
export async function writeCopy(
  session: Session,
  request: CopyInRequest,
  rows: Readable,
  onSent: (bytes: number) => void = () => {},
): Promise<CopyResult> {
  const exchange = new CopyIn(session, request, rows, onSent);
  try {
    await exchange.begin();
    return await exchange.send();
  } finally {
    rows.destroy();
    exchange.end();
  }
}

class CopyIn {
  readonly #session: Session;
  readonly #request: CopyInRequest;
  readonly #rows: Readable;
  readonly #onSent: (bytes: number) => void;
  readonly #frames: FrameWriter;
  readonly #raw: RawSocket;
  readonly #control = new ControlMessages();
  /** The connection is of no more use. */
  #broken: unknown;
  #wake: (() => void) | undefined;
  readonly #signal = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  constructor(
    session: Session,
    request: CopyInRequest,
    rows: Readable,
    onSent: (bytes: number) => void,
  ) {
    this.#session = session;
    this.#request = request;
    this.#rows = rows;
    this.#onSent = onSent;
    // An error that comes while nobody reads is thrown to whoever reads next.
    rows.on('error', () => {});
    this.#raw = takeSocket(session);
    this.#frames = FrameWriter.take(this.#raw.socket, request.format);
  }

  async begin(): Promise<void> {
    const raw = this.#raw;
    raw.onLost((error) => this.#break(error));
    raw.onData((chunk) => this.#receive(chunk));
    raw.write(queryMessage(this.#request.sql));
    await this.#until(() => this.#control.isCopyIn || this.#isOver());
    await this.#throwIfOver();
  }

  async send(): Promise<CopyResult> {
    let facts: RowFacts;
    try {
      await this.#sendRows();
      await this.#throwIfOver();
      facts = this.#frames.finish();
    } catch (error) {
      // When the server was first, the error of the source is only a consequence.
      await this.#throwIfOver();
      await this.#abandon();
      throw error;
    }
    this.#raw.write(copyDone);
    await this.#until(() => this.#isOver());
    await this.#throwIfFailed();
    const counted = this.#control.completedRows;
    if (counted !== facts.rows) throw this.#incomplete(facts.rows);
    return { ...facts, rawBytes: this.#frames.rawBytes };
  }

  /** To the end of the source; rejects when it breaks, or is destroyed because the server takes no more. */
  #sendRows(): Promise<void> {
    const rows = this.#rows;
    return new Promise((resolve, reject) => {
      finished(rows, { writable: false }, (error) => (error ? reject(error) : resolve()));
      this.#frames.onRoom = () => rows.resume();
      rows.on('data', (chunk: Buffer) => {
        if (!this.#frames.add(chunk)) rows.pause();
        this.#onSent(chunk.length);
      });
    });
  }

  /** Gives the session back when it can be used again, and drops it otherwise. */
  end(): void {
    if (!this.#control.isReady) this.#session.destroy();
    this.#raw.release();
    this.#frames.giveBack();
  }

  #incomplete(sent: number | string): HoldfastError {
    const taken = this.#control.completedRows ?? 'none';
    return new HoldfastError(
      'CopyIncompleteError',
      `${this.#request.what}: ${sent} rows were sent, and the server took ${taken}.`,
    );
  }

  /** After an error of the source the server must end the statement, too; its answer only tells what we have said. */
  async #abandon(): Promise<void> {
    this.#raw.write(copyFail);
    await this.#until(() => this.#control.isReady || this.#broken !== undefined);
  }

  #receive(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length; ) at += this.#control.take(chunk.subarray(at));
    } catch (error) {
      this.#break(error);
    }
    // The source may be slow: who waits for it is woken.
    if (this.#isOver()) this.#rows.destroy();
    this.#signal();
  }

  #break(error: unknown): void {
    this.#broken ??= error;
    this.#rows.destroy();
    this.#signal();
  }

  /** The server takes no more rows. */
  #isOver(): boolean {
    return this.#broken !== undefined || this.#control.isReady || this.#control.error !== undefined;
  }

  async #throwIfFailed(): Promise<void> {
    if (this.#control.error !== undefined) {
      await this.#until(() => this.#control.isReady || this.#broken !== undefined);
      throw mapCopyInError(this.#control.error, this.#request.what);
    }
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Before CopyDone the server has no reason to end, but for an error or an end mark (`\.`) among the rows. */
  async #throwIfOver(): Promise<void> {
    await this.#throwIfFailed();
    if (this.#control.isReady) throw this.#incomplete('More');
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
