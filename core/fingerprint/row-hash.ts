/**
 * Counts and hashes the rows of a COPY stream that comes in pieces of any size: what verify and restore use.
 * (The dump hashes while it de-frames, see core/copy/copy-reader.ts; both are the same WebAssembly.)
 */

import { HoldfastError } from '../contract/errors.ts';
import type { CopyFormat } from '../contract/manifest.ts';
import { formatFingerprint } from './fingerprint.ts';
import { instantiateFingerprint } from './wasm-instance.ts';

export { addFingerprints, emptyFingerprint } from './fingerprint.ts';

export interface RowFacts {
  readonly rows: number;
  /** 32 hex digits. */
  readonly fingerprint: string;
}

export interface RowHasher {
  /** `chunk` is the caller's again when it returns. */
  update(chunk: Uint8Array): void;
  /**
   * @throws CopyIncompleteError when the stream ends within a row, or is not of this format. Nothing else throws:
   * bytes that are not rows just have another fingerprint.
   */
  finish(): RowFacts;
}

/** 128 KiB: stays in the processor's second cache between copy and hash. */
const windowBytes = 128 * 1024;

export function createRowHasher(format: CopyFormat): RowHasher {
  const { wasm, regions } = instantiateFingerprint([windowBytes]);
  const window = regions[0] as (typeof regions)[number];
  const hash = format === 'text' ? wasm.hashText : wasm.hashBinary;
  wasm.resetSum();
  wasm.resetRows();
  return {
    update(chunk) {
      for (let offset = 0; offset < chunk.length; offset += windowBytes) {
        const piece = chunk.subarray(offset, offset + windowBytes);
        window.bytes.set(piece);
        hash(window.address, piece.length);
      }
    },
    finish() {
      const rows = Number(wasm.getRowCount());
      if (format === 'text' && wasm.isTextComplete() === 0) {
        throw new HoldfastError('CopyIncompleteError', `The text ends within row ${rows + 1}.`);
      }
      if (format === 'binary') requireTrailer(wasm.getBinaryVerdict(), rows);
      return { rows, fingerprint: formatFingerprint(wasm.getSumHigh(), wasm.getSumLow()) };
    },
  };
}

/** @param verdict of `getBinaryVerdict` */
export function requireTrailer(verdict: number, rows: number): void {
  if (verdict === 1) return;
  throw new HoldfastError(
    'CopyIncompleteError',
    verdict === 0
      ? `The binary COPY data ends after ${rows} rows without its trailer.`
      : `This is not binary COPY data (seen after ${rows} rows).`,
  );
}
