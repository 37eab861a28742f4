/** What `--vault s3://…` names. Nothing here loads the SDK of AWS: local commands ask these questions too. */
import { HoldfastError } from '../../core/contract/errors.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';

export const isBucketUrl = (name: string): boolean => /^s3:/i.test(name);

/** @param option as the person knows it, for the message @throws UsageError */
export function bucketOf(option: string, url: string): string {
  const [, bucket] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/.exec(url) ?? [];
  if (bucket !== undefined) return bucket;
  throw new HoldfastError('UsageError', `${option} ${JSON.stringify(url)} names no bucket.`, {
    hint: 'Write it as s3://BUCKET: a vault is a bucket as a whole, without a path in it.',
  });
}

/** What the name of a bucket of our stacks says; `undefined` for another bucket. */
export function ownNameOf(
  bucket: string,
): { readonly environment: string; readonly place: Place } | undefined {
  const [, environment, account, region] =
    /^holdfast-([a-z][a-z0-9-]{0,11})-vault-(\d{12})-([a-z-]+-\d)$/.exec(bucket) ?? [];
  if (environment === undefined || account === undefined || region === undefined) return undefined;
  return { environment, place: { account, region } };
}

/**
 * The workspace beside a vault: in its account and Region, by its name.
 * @throws UsageError when the vault's name does not tell, and `--workspace` is not given
 */
export function workspaceBucketOf(vaultBucket: string, named: string | undefined): string {
  if (named !== undefined) return bucketOf('--workspace', named);
  const own = ownNameOf(vaultBucket);
  if (own !== undefined) return namesOf(own.environment).workspaceBucket(own.place);
  throw new HoldfastError(
    'UsageError',
    `Records of runs are in a workspace, and the name of the bucket ${vaultBucket} does not tell which is its.`,
    { hint: 'Give --workspace s3://BUCKET.' },
  );
}
