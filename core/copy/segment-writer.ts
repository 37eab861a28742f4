/**
 * One segment: plain blocks → zstd 1 → encryption → SHA-256 → the object's writer. Plaintext never rests.
 *
 * Invariant: pull-based from end to end: a slow vault stops the reader of the server, and an error anywhere ends every
 * stage (`pipeline` alone joins them).
 */
import { createHash } from 'node:crypto';
import type { TransformOptions } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, type ZstdOptions } from 'node:zlib';
import type { Segment } from '../contract/manifest.ts';
import type { ObjectEncryptor } from '../keyring/key-ring.ts';
import type { ObjectWriter } from '../vault/vault.ts';

export type StoredSegment = Pick<Segment, 'storedBytes' | 'sha256' | 'compressedBytes'>;

export interface SegmentOptions {
  /** Plain bytes, roughly: decides how large the buffers are. */
  readonly expectedBytes: number;
  /** Bytes that the writer has had before: of other segments of the same object. */
  readonly offset: number;
  readonly onStored?: (bytes: number) => void;
  /** Ends it with an AbortError. */
  readonly signal: AbortSignal;
}

/** A frame of the encryption: a chunk of exactly this size is encrypted without being collected first. */
const frameBytes = 1 << 20;

function zstdOptions(expectedBytes: number): ZstdOptions & TransformOptions {
  return {
    // The default of 16 KB costs nearly half of the throughput; small tables are many and shall not take 1 MiB each.
    chunkSize: Math.min(frameBytes, Math.max(16_384, expectedBytes)),
    // Each block is more than this, so `pipeline` asks for the next only when zstd is done with it.
    writableHighWaterMark: 1,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  };
}

/**
 * When it returns or throws, it writes no more.
 *
 * @param blocks a block may be overwritten as soon as the next one is asked for
 * @throws what the blocks throw; VaultFullError, VaultAccessDeniedError, VaultIoError
 */
export async function writeSegment(
  blocks: AsyncIterable<Buffer>,
  encryptor: ObjectEncryptor,
  writer: ObjectWriter,
  options: SegmentOptions,
): Promise<StoredSegment> {
  // The first segment of an object has the hash that the writer makes anyway.
  const hash = options.offset === 0 ? undefined : createHash('sha256');
  let compressedBytes = 0;
  let storedBytes = 0;
  let writing: Promise<void> | undefined;
  const store = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      storedBytes += chunk.length;
      hash?.update(chunk);
      await writer.write(chunk);
      options.onStored?.(chunk.length);
    }
  };
  try {
    await pipeline(
      blocks,
      createZstdCompress(zstdOptions(options.expectedBytes)),
      async function* frames(chunks: AsyncIterable<Buffer>) {
        for await (const frame of gather(chunks)) {
          compressedBytes += frame.length;
          yield frame;
        }
      },
      encryptor.openSegment(),
      (chunks: AsyncIterable<Buffer>) => {
        writing = store(chunks);
        return writing;
      },
      { signal: options.signal },
    );
  } catch (error) {
    // The writer is the caller's again only when no write of ours is under way.
    await writing?.catch(() => {});
    throw error;
  }
  return { storedBytes, sha256: hash?.digest('hex') ?? writer.sha256SoFar(), compressedBytes };
}

/** Chunks of exactly one frame, but the last. What is small and alone (a small table) is not copied. */
async function* gather(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let first: Buffer | undefined;
  let frame: Buffer | undefined;
  let fill = 0;
  for await (const chunk of chunks) {
    if (frame === undefined && first === undefined && chunk.length < frameBytes) {
      first = chunk;
      continue;
    }
    for (let rest of first === undefined ? [chunk] : [first, chunk]) {
      while (rest.length > 0) {
        frame ??= Buffer.allocUnsafeSlow(frameBytes);
        const taken = rest.copy(frame, fill);
        fill += taken;
        rest = rest.subarray(taken);
        if (fill < frameBytes) continue;
        yield frame;
        frame = undefined;
        fill = 0;
      }
    }
    first = undefined;
  }
  const last = frame === undefined ? first : frame.subarray(0, fill);
  if (last !== undefined) yield last;
}
