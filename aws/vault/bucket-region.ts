/** Where a bucket is. S3 says so in the headers of each answer, also of a redirection and of a refusal. */
import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../core/contract/errors.ts';
import { statusOf, toVaultError } from './s3-errors.ts';

/**
 * @param s3 of any Region
 * @returns undefined when the answer does not tell: a refusal without the header, or something that is not quite S3
 * @throws VaultNotFoundError when there is no such bucket; VaultIoError …
 */
export async function bucketRegion(s3: S3Client, bucket: string): Promise<string | undefined> {
  try {
    return (await s3.send(new HeadBucketCommand({ Bucket: bucket }))).BucketRegion;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404) {
      throw new HoldfastError('VaultNotFoundError', `There is no bucket ${bucket}.`, {
        hint: 'Name the right bucket, or deploy the stacks of this environment first.',
        cause: error,
      });
    }
    // A HEAD has no body: why it was refused is told by the first request that has one.
    if (status === 301 || status === 403 || status === 400) return headerOf(error);
    throw toVaultError(error, `reach the bucket ${bucket}`);
  }
}

function headerOf(error: unknown): string | undefined {
  const { $response } = error as {
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  };
  return $response?.headers?.['x-amz-bucket-region'];
}
