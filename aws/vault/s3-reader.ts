/**
 * Reads a range of an object as a stream. A connection that breaks midway (S3 ends those that idle, as behind a slow
 * restore) is opened again from where it was, on the same version.
 *
 * Invariants: it ends well only after exactly the bytes that were asked for, all of one version; whoever stops reading
 * closes the connection at once.
 */
import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ByteRange } from '../../core/vault/vault.ts';
import { failureKind } from '../service-failure.ts';
import type { Bucket } from './bucket.ts';
import { guarded, isLostConnection, notFound, toVaultError, truncated } from './s3-errors.ts';

export interface ReadOptions {
  readonly versionId?: string;
  readonly range?: ByteRange;
}

/** As a frame of the encryption: what the consumer works on while the next comes. */
const aheadBytes = 1 << 20;
/** In a row, without a byte between. The SDK itself tries each opening several times. */
const idleReopenings = 3;

/** @throws ObjectNotFoundError, ObjectTruncatedError … before there is a stream */
export function openS3Reader(bucket: Bucket, key: string, options: ReadOptions): Promise<Readable> {
  return guarded(`read ${key}`, async () => {
    const { range } = options;
    if (range?.length === 0) return readNothing(bucket, key, range);
    const first = await getObject(bucket, key, options);
    const length = range?.length ?? first.ContentLength ?? 0;
    if ((first.ContentLength ?? 0) < length) {
      bodyOf(first).destroy();
      throw truncated(key, (range?.offset ?? 0) + length, sizeOf(first));
    }
    if ((first.ContentLength ?? 0) > length) {
      bodyOf(first).destroy();
      throw new HoldfastError(
        'ConfigurationError',
        `Asked for ${length} bytes of ${key}, ${bucket.name} offered ${first.ContentLength}: it knows no ranges.`,
      );
    }
    return stream(bucket, key, first, { offset: range?.offset ?? 0, length });
  });
}

/** The whole of a small object, its checksum compared by the SDK. */
export function readWhole(
  bucket: Bucket,
  key: string,
  versionId?: string,
): Promise<{ readonly body: Uint8Array; readonly etag: string }> {
  return guarded(`read ${key}`, async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const options = versionId === undefined ? {} : { versionId };
        const answer = await getObject(bucket, key, options, { ChecksumMode: 'ENABLED' });
        const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
        return { body, etag: answer.ETag ?? '' };
      } catch (error) {
        if (!isBroken(error) || attempt > idleReopenings) throw error;
      }
    }
  });
}

function stream(bucket: Bucket, key: string, first: GetObjectCommandOutput, range: ByteRange) {
  let body = bodyOf(first);
  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    let done = 0;
    for (let failures = 0; done < range.length; ) {
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          failures = 0;
          done += chunk.length;
          yield chunk;
        }
        if (done < range.length) throw truncated(key, range.offset + range.length);
      } catch (error) {
        failures += 1;
        if (reader.destroyed || !isBroken(error) || failures > idleReopenings) {
          throw toVaultError(error, `read ${key}`);
        }
        body = bodyOf(await rest(done));
        // It may have been destroyed while we opened.
        if (reader.destroyed) body.destroy();
      }
    }
  }
  // The very version that was begun with; a bucket without versions has at least the entity's tag.
  const pinned = first.VersionId === undefined ? {} : { versionId: first.VersionId };
  const rest = (done: number) =>
    guarded(`read ${key}`, () =>
      getObject(
        bucket,
        key,
        { ...pinned, range: { offset: range.offset + done, length: range.length - done } },
        first.ETag === undefined ? {} : { IfMatch: first.ETag },
        stop.signal,
      ),
    );
  const stop = new AbortController();
  const reader = new S3Reader(chunks(), () => {
    stop.abort();
    body.destroy();
  });
  return reader;
}

/** Not `Readable.from`: that waits for the chunk under way before it lets go, for ever when the connection is stuck. */
class S3Reader extends Readable {
  readonly #chunks: AsyncGenerator<Buffer>;
  readonly #close: () => void;

  constructor(chunks: AsyncGenerator<Buffer>, close: () => void) {
    super({ highWaterMark: aheadBytes });
    this.#chunks = chunks;
    this.#close = close;
  }

  override _read(): void {
    this.#chunks.next().then(
      ({ done, value }) => {
        if (!this.destroyed) this.push(done === true ? null : value);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#close();
    callback(error);
  }
}

async function getObject(
  bucket: Bucket,
  key: string,
  { versionId, range }: ReadOptions,
  more: { readonly ChecksumMode?: 'ENABLED'; readonly IfMatch?: string } = {},
  abortSignal?: AbortSignal,
): Promise<GetObjectCommandOutput> {
  try {
    return await bucket.client.send(
      new GetObjectCommand({
        ...{ ...bucket.of, ...more, Key: key },
        ...(versionId === undefined ? {} : { VersionId: versionId }),
        ...(range === undefined
          ? {}
          : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
      }),
      abortSignal === undefined ? {} : { abortSignal },
    );
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    // What a version id of another kind of vault is to S3, and what the version of a deletion is.
    if (versionId !== undefined && /^(InvalidArgument|MethodNotAllowed)$/.test(name)) {
      throw notFound(key, `version ${versionId} is not there`);
    }
    if (name === 'InvalidRange' && range !== undefined) {
      throw truncated(key, range.offset + range.length);
    }
    throw error;
  }
}

/** S3 has no empty ranges, but whether the object is there and long enough is told all the same. */
async function readNothing(bucket: Bucket, key: string, { offset }: ByteRange): Promise<Readable> {
  const { ContentLength = 0 } = await bucket.head(key);
  if (offset > ContentLength) throw truncated(key, offset, ContentLength);
  return Readable.from([], { objectMode: false });
}

const bodyOf = (answer: GetObjectCommandOutput): Readable => {
  // A connection may break before the first read; who reads then is told.
  if (answer.Body instanceof Readable) return answer.Body.on('error', () => {});
  throw new TypeError('S3 answered without a body');
};

/** The size of the whole object, from `bytes 0-9/10`. */
const sizeOf = ({ ContentRange, ContentLength }: GetObjectCommandOutput): number =>
  Number(ContentRange?.split('/')[1] ?? ContentLength ?? 0);

const isBroken = (error: unknown): boolean =>
  !isChecksumMismatch(error) && (failureKind(error) === 'unavailable' || isLostConnection(error));

const isChecksumMismatch = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Checksum mismatch');
