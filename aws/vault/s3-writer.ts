/**
 * Writes one object: what fits into one part goes in one request at `commit`, all else as a multipart upload that
 * begins with the first full part.
 *
 * Invariant: the caller's memory is the caller's again when `write` resolves; nothing is visible before `commit`.
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ObjectRef, ObjectWriter, PutOptions } from '../../core/vault/vault.ts';
import type { Bucket } from './bucket.ts';
import { MultipartUpload, partBytes } from './multipart-upload.ts';
import { type PutAnswer, putObject, taggingOf } from './put-object.ts';
import { guarded } from './s3-errors.ts';

/** Most objects are small documents: the first buffer begins with this and doubles. */
const firstBytes = 64 * 1024;

export class S3Writer implements ObjectWriter {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #tagging: string | undefined;
  readonly #hash = createHash('sha256');
  /** Parts that are up, to be filled again. */
  readonly #spare: Buffer[] = [];
  #part: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  #fill = 0;
  #storedBytes = 0;
  #upload: MultipartUpload | undefined;
  #isOpen = true;

  constructor(bucket: Bucket, key: string, options: PutOptions) {
    this.#bucket = bucket;
    this.#key = key;
    this.#tagging = taggingOf(options.tags);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#requireOpen();
    await guarded(`write ${this.#key}`, async () => {
      this.#hash.update(chunk);
      this.#storedBytes += chunk.length;
      for (let rest = chunk; rest.length > 0; ) {
        // Only when more comes: an object of exactly one part goes in one request.
        if (this.#fill === this.#wantedBytes()) await this.#flush();
        const taken = Math.min(rest.length, this.#wantedBytes() - this.#fill);
        this.#grow(this.#fill + taken);
        this.#part.set(rest.subarray(0, taken), this.#fill);
        this.#fill += taken;
        rest = rest.subarray(taken);
      }
    });
  }

  sha256SoFar(): string {
    return this.#hash.copy().digest('hex');
  }

  async commit(): Promise<ObjectRef> {
    this.#requireOpen();
    this.#isOpen = false;
    const sha256 = this.#hash.copy().digest('hex');
    try {
      const { versionId } = await guarded(`write ${this.#key}`, () => this.#finish(sha256));
      if (versionId === undefined) throw unversioned(this.#bucket.name);
      return { key: this.#key, versionId, storedBytes: this.#storedBytes, sha256 };
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    this.#isOpen = false;
    const upload = this.#upload;
    this.#upload = undefined;
    await upload?.abort();
  }

  async #finish(sha256: string): Promise<PutAnswer> {
    const last = this.#part.subarray(0, this.#fill);
    if (this.#upload === undefined) {
      const condition = { IfNoneMatch: '*' };
      const tagging = this.#tagging;
      return putObject(this.#bucket, { key: this.#key, body: last, sha256, condition, tagging });
    }
    await this.#upload.add(last, () => {});
    return this.#upload.complete();
  }

  async #flush(): Promise<void> {
    this.#upload ??= await MultipartUpload.begin(this.#bucket, this.#key, this.#tagging);
    const part = this.#part;
    await this.#upload.add(part.subarray(0, this.#fill), () => this.#spare.push(part));
    this.#part = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#wantedBytes());
    this.#fill = 0;
  }

  #wantedBytes(): number {
    return this.#upload?.nextPartBytes ?? partBytes(1);
  }

  #grow(wanted: number): void {
    if (wanted <= this.#part.length) return;
    const bytes = Math.min(this.#wantedBytes(), Math.max(wanted, this.#part.length * 2));
    const grown = Buffer.allocUnsafeSlow(bytes);
    this.#part.copy(grown, 0, 0, this.#fill);
    this.#part = grown;
  }

  #requireOpen(): void {
    if (this.#isOpen) return;
    throw new HoldfastError('InternalError', `The writer of ${this.#key} is closed already.`);
  }
}

const unversioned = (bucket: string) =>
  new HoldfastError('ConfigurationError', `The bucket ${bucket} has no versioning.`, {
    hint: 'Use the bucket that the vault stack makes: it has versioning and Object Lock.',
  });
