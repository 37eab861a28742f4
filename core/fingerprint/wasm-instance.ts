/**
 * An instance of the WebAssembly module with memory of its own.
 *
 * Invariant: an instance serves one stream at a time and its memory never grows after it was made, so that views of
 * it stay valid as long as anybody holds them.
 */
import { readFileSync } from 'node:fs';
import { HoldfastError } from '../contract/errors.ts';

/** Exports of `assembly/fingerprint.ts`; addresses and lengths are bytes. */
interface FingerprintExports {
  readonly memory: WebAssembly.Memory;
  readonly hashText: (at: number, length: number) => void;
  readonly hashBinary: (at: number, length: number) => void;
  readonly isTextComplete: () => number;
  readonly getBinaryVerdict: () => number;
  readonly resetRows: () => void;
  readonly resetSum: () => void;
  readonly getSumHigh: () => bigint;
  readonly getSumLow: () => bigint;
  readonly getRowCount: () => bigint;
  readonly resetDeframe: (isBinary: number) => void;
  readonly deframe: (input: number, length: number, block: number, room: number) => number;
  readonly getConsumed: () => number;
  readonly getProduced: () => number;
}

export interface FingerprintInstance {
  readonly wasm: FingerprintExports;
  /** The host's regions, in the order asked for; each with `slackBytes` of room behind it. */
  readonly regions: readonly Region[];
}

export interface Region {
  readonly address: number;
  readonly bytes: Buffer;
}

const pageBytes = 65_536;
/** The module's own data is a few dozen bytes from address 1024 on. */
const firstAddress = 4_096;
/** What the module may touch behind a region: one SIMD load or store. */
const slackBytes = 16;

let compiled: WebAssembly.Module | undefined;

function compile(): WebAssembly.Module {
  const file = new URL('./fingerprint.wasm', import.meta.url);
  try {
    compiled ??= new WebAssembly.Module(readFileSync(file));
    return compiled;
  } catch (cause) {
    throw new HoldfastError('InternalError', 'fingerprint.wasm cannot be loaded.', {
      hint: 'It is built by `npm run build:wasm`, which `npm ci` does.',
      cause,
    });
  }
}

/** @param sizes of the regions, bytes */
export function instantiateFingerprint(sizes: readonly number[]): FingerprintInstance {
  const wasm = new WebAssembly.Instance(compile()).exports as FingerprintExports;
  const addresses: number[] = [];
  let next = firstAddress;
  for (const size of sizes) {
    addresses.push(next);
    next += Math.ceil((size + slackBytes) / 64) * 64;
  }
  const pages = Math.ceil(next / pageBytes) - wasm.memory.buffer.byteLength / pageBytes;
  if (pages > 0) wasm.memory.grow(pages);
  const regions = sizes.map((size, index) => {
    const address = addresses[index] as number;
    return { address, bytes: Buffer.from(wasm.memory.buffer, address, size) };
  });
  return { wasm, regions };
}
