/**
 * Reads a range of a file as a stream of 1 MiB chunks, each in memory of its own.
 *
 * Invariant: it ends well only after exactly the bytes that were asked for.
 */
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ByteRange } from '../../core/vault/vault.ts';
import { toVaultError } from './files.ts';

/** 1 MiB: a frame of the encryption, and few enough calls that they cost nothing. */
const chunkBytes = 1 << 20;

export class FileReader extends Readable {
  readonly #handle: FileHandle;
  readonly #key: string;
  readonly #end: number;
  #position: number;

  /** Takes over `handle` and closes it. */
  constructor(handle: FileHandle, key: string, range: ByteRange) {
    super({ highWaterMark: chunkBytes });
    this.#handle = handle;
    this.#key = key;
    this.#position = range.offset;
    this.#end = range.offset + range.length;
  }

  override _read(): void {
    const wanted = Math.min(chunkBytes, this.#end - this.#position);
    if (wanted <= 0) {
      this.push(null);
      return;
    }
    this.#handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, this.#position).then(
      ({ bytesRead, buffer }) => {
        if (bytesRead === 0) {
          this.destroy(truncated(this.#key, this.#position, this.#end));
          return;
        }
        this.#position += bytesRead;
        this.push(bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead));
      },
      (error: unknown) => this.destroy(toVaultError(error, `read ${this.#key}`)),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#handle.close().then(
      () => callback(error),
      (closing: unknown) => callback(error ?? toVaultError(closing, `close ${this.#key}`)),
    );
  }
}

export const truncated = (key: string, storedBytes: number, wantedEnd: number): HoldfastError =>
  new HoldfastError(
    'ObjectTruncatedError',
    `${key} has ${storedBytes} bytes, but at least ${wantedEnd} were asked for.`,
    { evidence: { key, storedBytes, wantedEnd } },
  );
