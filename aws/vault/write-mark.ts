/**
 * Whose write was it? A conditional write whose answer was lost is sent again by the SDK, and then fails on the object
 * that its own first sending made. Each write carries a random mark in the object's metadata, so that one look tells.
 *
 * Invariant: "it exists already" is told only of what somebody else wrote; when that cannot be seen, it is told as
 * unknown (VaultIoError, retryable), never as either.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import type { Bucket } from './bucket.ts';
import { isUncertain, statusOf, toVaultError } from './s3-errors.ts';

const metadataName = 'holdfast-write';

export interface WriteMark {
  readonly value: string;
  /** For the request. */
  readonly metadata: Readonly<Record<string, string>>;
}

export function newWriteMark(): WriteMark {
  const value = randomBytes(12).toString('base64url');
  return { value, metadata: { [metadataName]: value } };
}

/** Two writers met within the same moment: S3 says 409 and asks for another try. Six tries take about a second. */
const conflictTries = 6;
const conflictPauseMs = 20;

/**
 * Sends a write, and settles what became of it when that is not certain.
 *
 * @param fromHead the answer, from a look at the object that this write made
 * @throws PreconditionFailedError when somebody else's object is there, or was changed
 */
export async function sendWrite<T>(
  bucket: Bucket,
  key: string,
  mark: WriteMark,
  send: () => Promise<T>,
  fromHead: (head: HeadObjectCommandOutput) => T,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (isUncertain(error)) {
        const head = await ownWrite(bucket, key, mark, error);
        if (head !== undefined) return fromHead(head);
      }
      if (statusOf(error) !== 409 || attempt === conflictTries) throw error;
    }
    await sleep(conflictPauseMs * 2 ** attempt * (0.5 + Math.random() / 2));
  }
}

/** @returns undefined when what is there is not of this write, or nothing is there */
async function ownWrite(bucket: Bucket, key: string, mark: WriteMark, why: unknown) {
  try {
    const head = await bucket.head(key);
    return head.Metadata?.[metadataName] === mark.value ? head : undefined;
  } catch (error) {
    if (isHoldfastError(error, 'ObjectNotFoundError')) return undefined;
    const told = toVaultError(why, `write ${key}`);
    if (told.name !== 'PreconditionFailedError') throw told;
    throw new HoldfastError(
      'VaultIoError',
      `Cannot write ${key}: an answer of S3 was lost, and whether the object was written cannot be seen: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
