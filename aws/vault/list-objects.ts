/** What a bucket has under a prefix: pages of at most 1,000, the next only when it is wanted. S3 lists by UTF-8 bytes. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { ListedObject } from '../../core/vault/vault.ts';
import type { Bucket } from './bucket.ts';
import { guarded } from './s3-errors.ts';

const pageKeys = 1_000;

export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  options: { readonly startAfter?: string; readonly limit?: number } = {},
): AsyncGenerator<ListedObject> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let token: string | undefined;
  while (left > 0) {
    const page = await guarded(`list ${prefix}`, () =>
      bucket.client.send(
        new ListObjectsV2Command({
          ...{ ...bucket.of, Prefix: prefix, MaxKeys: Math.min(left, pageKeys) },
          ...(options.startAfter === undefined ? {} : { StartAfter: options.startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
      yield { key: Key, storedBytes: Size, lastModified: LastModified };
      left -= 1;
    }
    token = page.NextContinuationToken;
    if (token === undefined) return;
  }
}
