/** A bucket as the adapters see it: a client, a name, whose it must be; and what is asked of it by all. */
import {
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { HoldfastError } from '../../core/contract/errors.ts';
import { guarded, notFound, statusOf } from './s3-errors.ts';

export interface BucketOptions {
  /** Made with `s3ClientSettings`, of the Region that the bucket is in. */
  readonly s3: S3Client;
  readonly bucket: string;
  /** Account id; a bucket of the same name that became somebody else's is then refused by S3. */
  readonly expectedBucketOwner?: string;
}

/** What every request names. */
export interface OfBucket {
  readonly Bucket: string;
  readonly ExpectedBucketOwner?: string;
}

export class Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly of: OfBucket;

  constructor({ s3, bucket, expectedBucketOwner }: BucketOptions) {
    this.client = s3;
    this.name = bucket;
    const owner = expectedBucketOwner;
    this.of = { Bucket: bucket, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) };
  }

  /**
   * The current version, with its checksum.
   * @throws ObjectNotFoundError, VaultAccessDeniedError …
   */
  head(key: string): Promise<HeadObjectCommandOutput> {
    return guarded(`look at ${key}`, async () => {
      try {
        return await this.client.send(
          new HeadObjectCommand({ ...this.of, Key: key, ChecksumMode: 'ENABLED' }),
        );
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        // The answer has no body: is it the key or the bucket that is missing?
        await this.requireBucket();
        throw notFound(key);
      }
    });
  }

  /** @throws VaultNotFoundError */
  async requireBucket(): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand(this.of));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      throw new HoldfastError('VaultNotFoundError', `There is no bucket ${this.name}.`, {
        hint: 'Name the right bucket, or deploy the stacks of this environment first.',
      });
    }
  }
}
