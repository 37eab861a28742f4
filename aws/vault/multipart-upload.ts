/**
 * A multipart upload: parts go up while the next one fills, a few at a time; S3 compares a CRC-32 of each part and, at
 * the end, one of the whole object that was made from the stream and not from the parts.
 *
 * Why CRC-32 of the whole: a SHA-256 of a multipart object is one of its parts' hashes, which says nothing about the
 * whole; CRC-32 is the only checksum of the whole that Node makes at memory speed (3.7 GB/s here; CRC-64/NVME would be
 * JavaScript). Against somebody who changes bytes stands the SHA-256 in the signed manifest.
 *
 * Invariant: at most `partsInFlight` + 1 parts are in memory, and `abort` leaves neither a request nor a part.
 */
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';
import { beforeSigning, type PutAnswer, payloadHash } from './put-object.ts';
import { newWriteMark, sendWrite, type WriteMark } from './write-mark.ts';

/** Four connections carry what one Lambda function makes (S3 gives 50 to 90 MB/s for each). */
export const partsInFlight = 4;

/**
 * 8 MiB for the first thousand parts, then doubled for each further thousand: the most bytes that 10,000 parts may have
 * (5 TiB) fit, and an object of less than 8 GB, as all are by plan, never takes more memory.
 * @param number from 1
 */
export const partBytes = (number: number): number =>
  8 * (1 << 20) * 2 ** Math.floor((number - 1) / 1_000);

/** What both the answer and a look at the object have. */
type Written = Pick<CompleteMultipartUploadCommandOutput, 'VersionId' | 'ETag'>;

const checksum = (sum: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
};

export class MultipartUpload {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #uploadId: string;
  readonly #mark: WriteMark;
  readonly #parts: CompletedPart[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #crc = 0;
  #error: unknown;
  #hasFailed = false;

  private constructor(bucket: Bucket, key: string, uploadId: string, mark: WriteMark) {
    this.#bucket = bucket;
    this.#key = key;
    this.#uploadId = uploadId;
    this.#mark = mark;
  }

  static async begin(bucket: Bucket, key: string, tagging: string | undefined) {
    const mark = newWriteMark();
    const { UploadId } = await bucket.client.send(
      new CreateMultipartUploadCommand({
        ...{ ...bucket.of, Key: key, Metadata: { ...mark.metadata } },
        ...{ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' },
        ...(tagging === undefined ? {} : { Tagging: tagging }),
      }),
    );
    if (UploadId === undefined) throw new TypeError('S3 gave no id for the upload');
    return new MultipartUpload(bucket, key, UploadId, mark);
  }

  get nextPartBytes(): number {
    return partBytes(this.#parts.length + 1);
  }

  /**
   * Resolves when a further part may be filled.
   * @param part is the upload's until `onSent`
   * @throws what became of an earlier part
   */
  async add(part: Buffer, onSent: () => void): Promise<void> {
    if (this.#hasFailed) throw this.#error;
    const PartNumber = this.#parts.length + 1;
    this.#crc = crc32(part, this.#crc);
    const entry: CompletedPart = { PartNumber, ChecksumCRC32: checksum(crc32(part)) };
    this.#parts.push(entry);
    const sending: Promise<void> = this.#send(part, entry)
      .then(onSent, (error: unknown) => {
        if (this.#hasFailed) return;
        this.#hasFailed = true;
        this.#error = error;
        // One failure ends them all: their bytes are lost with it.
        this.#stop.abort();
      })
      .finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
    if (this.#inFlight.size >= partsInFlight) await Promise.race(this.#inFlight);
    if (this.#hasFailed) throw this.#error;
  }

  async #send(part: Buffer, entry: CompletedPart): Promise<void> {
    const { PartNumber, ChecksumCRC32 } = entry;
    const command = new UploadPartCommand({
      ...{ ...this.#bucket.of, Key: this.#key, UploadId: this.#uploadId },
      ...{ PartNumber, Body: part, ContentLength: part.length, ChecksumCRC32 },
    });
    command.middlewareStack.add(payloadHash('UNSIGNED-PAYLOAD'), beforeSigning);
    const { ETag } = await this.#bucket.client.send(command, { abortSignal: this.#stop.signal });
    entry.ETag = ETag;
  }

  /** Makes the object visible, unless there is one already. */
  async complete(): Promise<PutAnswer> {
    await Promise.all(this.#inFlight);
    if (this.#hasFailed) throw this.#error;
    const send = () =>
      this.#bucket.client.send(
        new CompleteMultipartUploadCommand({
          ...{ ...this.#bucket.of, Key: this.#key, UploadId: this.#uploadId, IfNoneMatch: '*' },
          MultipartUpload: { Parts: this.#parts },
          ...{ ChecksumCRC32: checksum(this.#crc), ChecksumType: 'FULL_OBJECT' },
        }),
      );
    const { VersionId, ETag } = await sendWrite<Written>(
      this.#bucket,
      this.#key,
      this.#mark,
      send,
      (head) => head,
    );
    return { versionId: VersionId, etag: ETag ?? '' };
  }

  /** What cannot be taken away now (S3 is out of reach) is by the bucket's rule for aborted uploads. */
  async abort(): Promise<void> {
    this.#hasFailed = true;
    this.#error ??= new TypeError('The upload was aborted');
    this.#stop.abort();
    // A part that is still going up would outlive the abort.
    await Promise.all(this.#inFlight);
    const upload = { ...this.#bucket.of, Key: this.#key, UploadId: this.#uploadId };
    await this.#bucket.client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
  }
}
