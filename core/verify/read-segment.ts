/**
 * One segment as the plain bytes that were dumped: vault → SHA-256 → decrypt → zstd.
 *
 * Invariant: the stream ends well only when the stored bytes had the hash of the manifest, the message was whole and
 * authentic, and the compressed stream was whole. `destroy` on it reaches the vault's reader.
 */
import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { Manifest, TextSegment } from '../contract/manifest.ts';
import type { EncryptionContext } from '../keyring/key-ring.ts';
import type { Vault } from '../vault/vault.ts';

export type ReadDeps = Pick<Deps, 'vault' | 'vaultId' | 'keyRing'>;
/** What one segment needs of them. */
export interface SegmentDeps extends Pick<Deps, 'vaultId' | 'keyRing'> {
  readonly vault: Pick<Vault, 'openReader'>;
}
export type StoredObject = Manifest['objects'][number];

/**
 * What an object was bound to when it was written, from its own key: a segment may lie in an older backup's object.
 * Keys are `backups/<source>/<backupId>/…`.
 */
export function contextOf(vaultId: string, key: string): EncryptionContext {
  const [root, source, backup] = key.split('/');
  if (root !== 'backups' || source === undefined || backup === undefined) {
    throw new HoldfastError('ManifestInvalidError', `${key} is not the key of a backup's object.`);
  }
  return { vault: vaultId, source, backup, object: key };
}

export interface SegmentStream {
  readonly plain: Readable;
  /** Bytes between decryption and decompression; final when `plain` has ended. */
  readonly compressedBytes: () => number;
}

export interface SegmentOptions {
  /**
   * The consumer has used or copied each chunk when its 'data' handler returns: the memory of a chunk serves the next
   * one. Otherwise each MiB is new memory outside of the heap, and the collector that it calls costs more than all the
   * rest (half of the client's time in a restore).
   */
  readonly isMemoryReused?: boolean;
}

/**
 * @throws ObjectNotFoundError, ObjectTruncatedError, VaultAccessDeniedError … at once; the stream ends with these, with
 * ObjectDamagedError (hash), DecryptionError, or the error of zstd
 */
export async function openSegment(
  deps: SegmentDeps,
  object: StoredObject,
  segment: TextSegment,
  options: SegmentOptions = {},
): Promise<SegmentStream> {
  const stored = await deps.vault.openReader(object.key, {
    versionId: object.versionId,
    range: { offset: segment.offset, length: segment.storedBytes },
  });
  const check = new HashCheck(object.key, segment.sha256);
  const count = new Count();
  // 1 MiB at once: the default of 16 KB costs half the speed.
  const inflate = createZstdDecompress({
    chunkSize: Math.min(1 << 20, Math.max(1024, segment.rawBytes)),
  });
  if (options.isMemoryReused === true) reuseMemory(inflate);
  const decrypt = deps.keyRing.decryptSegment(contextOf(deps.vaultId, object.key));
  // The error of any stage arrives at the last one, which is what the caller reads.
  pipeline(stored, check, decrypt, count, inflate, () => {});
  return { plain: inflate, compressedBytes: () => count.bytes };
}

class HashCheck extends Transform {
  readonly #hash = createHash('sha256');
  readonly #key: string;
  readonly #expected: string;

  constructor(key: string, expected: string) {
    super();
    this.#key = key;
    this.#expected = expected;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const sha256 = this.#hash.digest('hex');
    done(sha256 === this.#expected ? null : damaged(this.#key, this.#expected, sha256));
  }
}

/** Compressed bytes that become less than 1 MiB, unless they are compressed more than 8 times. */
const pieceBytes = 128 << 10;

/** Counts, and cuts: what one piece becomes fits into one buffer of zstd's output. */
class Count extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      this.push(chunk.subarray(at, at + pieceBytes));
    }
    done();
  }
}

/**
 * zlib streams of Node write each output behind the one before, and take a new buffer when one is full. Once the consumer
 * has taken all that there was, the next output may go to the beginning again. `push` is called between two runs of the
 * native code only. Should Node name its field otherwise one day, this has no effect; what it would break, the fingerprint
 * of the rows shows.
 */
function reuseMemory(inflate: Readable): void {
  const push = inflate.push.bind(inflate);
  inflate.push = (chunk: unknown) => {
    const wantsMore = push(chunk);
    const isTaken = chunk !== null && inflate.readableLength === 0;
    if (isTaken) (inflate as Readable & { _outOffset: number })._outOffset = 0;
    return wantsMore;
  };
}

const damaged = (key: string, expected: string, sha256: string) =>
  new HoldfastError(
    'ObjectDamagedError',
    `${key}: the stored bytes have SHA-256 ${sha256}; the manifest says ${expected}.`,
    { evidence: { key, expected, sha256 } },
  );

/** SHA-256 of a range as it is stored, hex. */
export async function hashStored(
  deps: Pick<ReadDeps, 'vault'>,
  object: StoredObject,
  range: { readonly offset: number; readonly length: number },
): Promise<string> {
  const hash = createHash('sha256');
  const reader = await deps.vault.openReader(object.key, { versionId: object.versionId, range });
  for await (const chunk of reader) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
