/**
 * `Vault` on a bucket with versioning and Object Lock. A version is S3's version id; a replica has the same.
 *
 * Invariants: see the port. Only what this key's current version is under is looked at and changed; a deletion removes
 * that version for good, and never goes past a lock (no governance bypass anywhere).
 *
 * Rights (s3:…): writing PutObject, PutObjectTagging when there are tags, AbortMultipartUpload, and GetObject to tell a
 * lost answer from somebody else's object (without it that is told as VaultIoError); reading GetObject, GetObjectVersion;
 * `head` GetObject, GetObjectTagging, GetObjectRetention and GetObjectLegalHold (S3 leaves a lock out of its answer
 * without the last two); `list` ListBucket, without which S3 also says "denied" of what is not there; `setTags`
 * PutObjectTagging; locks PutObjectRetention or PutObjectLegalHold with those of `head`; `delete` DeleteObjectVersion
 * with those of `head`.
 *
 * Large objects (more than one part) have no SHA-256 on S3 (multipart-upload.ts says why): `head` leaves it out.
 */
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  type HeadObjectCommandOutput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import { keyParts } from '../../core/vault/object-key.ts';
import type {
  ByteRange,
  ListedObject,
  ObjectHead,
  ObjectRef,
  ObjectWriter,
  PutOptions,
  Vault,
} from '../../core/vault/vault.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { listObjects } from './list-objects.ts';
import { extendRetention, lockOf, setHold } from './object-lock.ts';
import { guarded, statusOf } from './s3-errors.ts';
import { openS3Reader, readWhole } from './s3-reader.ts';
import { S3Writer } from './s3-writer.ts';

export interface S3VaultOptions extends BucketOptions {
  /** Of the retention that this vault sets. GOVERNANCE can be lifted by whoever has the right to, COMPLIANCE by nobody. */
  readonly lockMode: 'GOVERNANCE' | 'COMPLIANCE';
}

export class S3Vault implements Vault {
  readonly location: string;
  readonly #bucket: Bucket;
  readonly #lockMode: S3VaultOptions['lockMode'];

  constructor(options: S3VaultOptions) {
    this.#bucket = new Bucket(options);
    this.#lockMode = options.lockMode;
    this.location = `s3://${options.bucket}`;
  }

  async openWriter(key: string, options: PutOptions = {}): Promise<ObjectWriter> {
    keyParts(key);
    return new S3Writer(this.#bucket, key, options);
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<ObjectRef> {
    const writer = await this.openWriter(key, options);
    try {
      await writer.write(body);
      return await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async get(key: string, versionId?: string): Promise<Uint8Array> {
    keyParts(key);
    return (await readWhole(this.#bucket, key, versionId)).body;
  }

  async openReader(
    key: string,
    options: { versionId?: string; range?: ByteRange } = {},
  ): Promise<Readable> {
    keyParts(key);
    return openS3Reader(this.#bucket, key, options);
  }

  async head(key: string): Promise<ObjectHead> {
    keyParts(key);
    const [head, tags] = await Promise.all([this.#bucket.head(key), this.#tags(key)]);
    const retainUntil = head.ObjectLockRetainUntilDate;
    const sha256 = sha256Of(head);
    return {
      key,
      versionId: head.VersionId ?? 'null',
      storedBytes: head.ContentLength ?? 0,
      lastModified: head.LastModified ?? new Date(0),
      tags,
      hasLegalHold: head.ObjectLockLegalHoldStatus === 'ON',
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(retainUntil === undefined ? {} : { retainUntil }),
    };
  }

  list(
    prefix: string,
    options: { startAfter?: string; limit?: number } = {},
  ): AsyncGenerator<ListedObject> {
    return listObjects(this.#bucket, prefix, options);
  }

  async setTags(key: string, tags: Readonly<Record<string, string>>): Promise<void> {
    keyParts(key);
    await guarded(`tag ${key}`, async () => {
      const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      const command = { ...this.#bucket.of, Key: key, Tagging: { TagSet } };
      await this.#bucket.client.send(new PutObjectTaggingCommand(command));
    });
  }

  async setRetainUntil(key: string, until: Date): Promise<void> {
    keyParts(key);
    await extendRetention(this.#bucket, key, this.#lockMode, until);
  }

  async setLegalHold(key: string, on: boolean): Promise<void> {
    keyParts(key);
    await setHold(this.#bucket, key, on);
  }

  async delete(key: string): Promise<void> {
    keyParts(key);
    const head = await this.#headIfThere(key);
    if (head === undefined) return;
    requireFree(key, head);
    await guarded(`delete ${key}`, async () => {
      try {
        // This version for good: without its id S3 would hide it and keep it.
        const version = { Key: key, VersionId: head.VersionId };
        await this.#bucket.client.send(new DeleteObjectCommand({ ...this.#bucket.of, ...version }));
      } catch (error) {
        // S3 says the same of a lock that came since, and of a right that is missing.
        if (statusOf(error) === 403) requireFree(key, await this.#headIfThere(key));
        throw error;
      }
    });
  }

  #tags(key: string): Promise<Record<string, string>> {
    return guarded(`look at ${key}`, async () => {
      const { TagSet = [] } = await this.#bucket.client.send(
        new GetObjectTaggingCommand({ ...this.#bucket.of, Key: key }),
      );
      return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
    });
  }

  async #headIfThere(key: string): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return await this.#bucket.head(key);
    } catch (error) {
      if (isHoldfastError(error, 'ObjectNotFoundError')) return undefined;
      throw error;
    }
  }
}

function requireFree(key: string, head: HeadObjectCommandOutput | undefined): void {
  const lock = head && lockOf(head, new Date());
  if (lock === undefined) return;
  throw new HoldfastError('ObjectLockedError', `${key} cannot be deleted: ${lock}.`);
}

/** A checksum of checksums (objects in parts, written by others) is none of the object's bytes. */
const sha256Of = ({ ChecksumSHA256 }: HeadObjectCommandOutput): string | undefined =>
  ChecksumSHA256 === undefined || ChecksumSHA256.includes('-')
    ? undefined
    : Buffer.from(ChecksumSHA256, 'base64').toString('hex');

/** Asks nothing of S3: whether the bucket is a vault tells its marker (core/vault/marker.ts). */
export const openS3Vault = (options: S3VaultOptions): S3Vault => new S3Vault(options);
