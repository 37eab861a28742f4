/**
 * `Workspace` on a bucket without versions and locks, whose rules let everything expire.
 *
 * Invariant: of any number of writers that swap the same etag at once, one succeeds; S3 itself compares.
 */
import { createHash } from 'node:crypto';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import { keyParts } from '../../core/vault/object-key.ts';
import type { Workspace, WorkspaceEntry, WriteCondition } from '../../core/vault/vault.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { listObjects } from './list-objects.ts';
import { putObject } from './put-object.ts';
import { guarded, statusOf } from './s3-errors.ts';
import { readWhole } from './s3-reader.ts';

export class S3Workspace implements Workspace {
  readonly location: string;
  readonly #bucket: Bucket;

  constructor(options: BucketOptions) {
    this.#bucket = new Bucket(options);
    this.location = `s3://${options.bucket}`;
  }

  async put(key: string, body: Uint8Array, condition?: WriteCondition): Promise<{ etag: string }> {
    keyParts(key);
    const sha256 = createHash('sha256').update(body).digest('hex');
    return guarded(`write ${key}`, async () => {
      try {
        return await putObject(this.#bucket, { key, body, sha256, condition: sent(condition) });
      } catch (error) {
        // To S3 what is gone is no match.
        if (condition !== undefined && 'ifMatch' in condition && isNoSuchKey(error)) {
          throw changed(key);
        }
        throw error;
      }
    });
  }

  async get(key: string): Promise<WorkspaceEntry | undefined> {
    keyParts(key);
    try {
      return await readWhole(this.#bucket, key);
    } catch (error) {
      if (isHoldfastError(error, 'ObjectNotFoundError')) return undefined;
      throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for await (const { key } of listObjects(this.#bucket, prefix)) yield key;
  }

  async delete(key: string, condition?: { readonly ifMatch: string }): Promise<void> {
    keyParts(key);
    await guarded(`delete ${key}`, async () => {
      try {
        await this.#bucket.client.send(
          new DeleteObjectCommand({
            ...{ ...this.#bucket.of, Key: key },
            ...(condition === undefined ? {} : { IfMatch: condition.ifMatch }),
          }),
        );
      } catch (error) {
        if (isNoSuchKey(error)) return;
        if (statusOf(error) === 409) throw changed(key);
        throw error;
      }
    });
  }
}

const sent = (condition: WriteCondition | undefined) => {
  if (condition === undefined) return {};
  return 'ifMatch' in condition
    ? { IfMatch: condition.ifMatch }
    : { IfNoneMatch: condition.ifNoneMatch };
};

/** Not of the bucket: that answer is a 404 too. */
const isNoSuchKey = (error: unknown): boolean =>
  error instanceof Error && error.name === 'NoSuchKey';

const changed = (key: string) =>
  new HoldfastError('PreconditionFailedError', `${key} is gone or has been changed since.`, {
    evidence: { key },
  });

export const openS3Workspace = (options: BucketOptions): S3Workspace => new S3Workspace(options);
