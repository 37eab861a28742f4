/**
 * Makes CopyData messages of plain bytes in the memory of the WebAssembly: copied there once, hashed where they lie, and
 * written to the socket from there. Nothing is allocated on the way.
 *
 * Invariants: a block is filled again only when the socket has written it; an instance serves one COPY at a time, and
 * the next one only when all its blocks are free.
 */
import type { Socket } from 'node:net';
import { HoldfastError } from '../contract/errors.ts';
import type { CopyFormat } from '../contract/manifest.ts';
import { formatFingerprint } from '../fingerprint/fingerprint.ts';
import { type RowFacts, requireTrailer } from '../fingerprint/row-hash.ts';
import { instantiateFingerprint, type Region } from '../fingerprint/wasm-instance.ts';

/** The server collects a whole message before it looks at it: what stays in the processor's second cache on both sides. */
const blockBytes = 128 << 10;
/** What zstd gives at once (1 MiB) fits in, with as much on its way to the socket. */
const blockCount = 16;
const headerBytes = 5;

/** Their memory is not given back soon, and segments are many. */
const idle: FrameWriter[] = [];

export class FrameWriter {
  rawBytes = 0;
  /** Told when `add` may be called again after it returned false. */
  onRoom: () => void = () => {};
  readonly #instance = instantiateFingerprint(Array.from({ length: blockCount }, () => blockBytes));
  readonly #free: Region[] = [...this.#instance.regions];
  #socket: Socket | undefined;
  #format: CopyFormat = 'text';
  #block: Region | undefined;
  #fill = headerBytes;
  /** What did not fit: a chunk that was larger than all free blocks. */
  #rest: Buffer | undefined;
  #isWaiting = false;

  static take(socket: Socket, format: CopyFormat): FrameWriter {
    const writer = idle.pop() ?? new FrameWriter();
    writer.#socket = socket;
    writer.#format = format;
    writer.rawBytes = 0;
    writer.#instance.wasm.resetSum();
    writer.#instance.wasm.resetRows();
    return writer;
  }

  /** For the next COPY; one that ended midway leaves blocks in the socket, and this instance to the collector. */
  giveBack(): void {
    this.#socket = undefined;
    this.onRoom = () => {};
    if (this.#free.length === blockCount) idle.push(this);
  }

  /** @returns false: no more before `onRoom` */
  add(chunk: Buffer): boolean {
    this.rawBytes += chunk.length;
    const left = this.#copy(chunk);
    // The chunk is not ours when this returns.
    if (left.length > 0) this.#rest = Buffer.from(left);
    this.#isWaiting = left.length > 0 || this.#free.length < blockCount / 2;
    return !this.#isWaiting;
  }

  /**
   * Sends what is left in the last block.
   * @throws CopyIncompleteError when the rows are not whole
   */
  finish(): RowFacts {
    if (this.#rest !== undefined) {
      throw new HoldfastError('InternalError', 'A COPY was ended before all of it was sent.');
    }
    const { wasm } = this.#instance;
    const rows = Number(wasm.getRowCount());
    if (this.#format === 'text' && wasm.isTextComplete() === 0) {
      throw new HoldfastError('CopyIncompleteError', `The text ends within row ${rows + 1}.`);
    }
    if (this.#format === 'binary') requireTrailer(wasm.getBinaryVerdict(), rows);
    this.#send();
    return { rows, fingerprint: formatFingerprint(wasm.getSumHigh(), wasm.getSumLow()) };
  }

  /** @returns what did not fit */
  #copy(chunk: Buffer): Buffer {
    const { wasm } = this.#instance;
    const hash = this.#format === 'text' ? wasm.hashText : wasm.hashBinary;
    let at = 0;
    while (at < chunk.length) {
      this.#block ??= this.#free.pop();
      const block = this.#block;
      if (block === undefined) break;
      const copied = chunk.copy(block.bytes, this.#fill, at);
      hash(block.address + this.#fill, copied);
      this.#fill += copied;
      at += copied;
      if (this.#fill === blockBytes) this.#send();
    }
    return chunk.subarray(at);
  }

  #send(): void {
    const block = this.#block;
    if (block === undefined || this.#fill === headerBytes) return;
    block.bytes[0] = 0x64;
    block.bytes.writeUInt32BE(this.#fill - 1, 1);
    this.#socket?.write(block.bytes.subarray(0, this.#fill), () => this.#release(block));
    this.#block = undefined;
    this.#fill = headerBytes;
  }

  #release(block: Region): void {
    this.#free.push(block);
    if (!this.#isWaiting || this.#free.length < blockCount / 2) return;
    const rest = this.#rest;
    this.#rest = undefined;
    this.#isWaiting = false;
    if (rest === undefined || this.#addRest(rest)) this.onRoom();
  }

  #addRest(rest: Buffer): boolean {
    const left = this.#copy(rest);
    if (left.length > 0) this.#rest = left;
    this.#isWaiting = left.length > 0;
    return !this.#isWaiting;
  }
}
