/**
 * Locks of one object's current version: retention (extended only) and legal hold.
 *
 * Invariant: S3 itself refuses whatever goes past a lock; what is looked up here only finds the words for it.
 */
import {
  type HeadObjectCommandOutput,
  type ObjectLockMode,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Bucket } from './bucket.ts';
import { guarded, statusOf } from './s3-errors.ts';

/** When the lock still holds, why; else undefined. */
export function lockOf(head: HeadObjectCommandOutput, now: Date): string | undefined {
  if (head.ObjectLockLegalHoldStatus === 'ON') return 'it is under legal hold';
  const until = head.ObjectLockRetainUntilDate;
  if (until !== undefined && until > now) return `it is retained until ${until.toISOString()}`;
  return undefined;
}

/** @throws ObjectLockedError when it would shorten, whatever the mode */
export async function extendRetention(
  bucket: Bucket,
  key: string,
  mode: ObjectLockMode,
  until: Date,
): Promise<void> {
  const head = await bucket.head(key);
  requireLater(key, head.ObjectLockRetainUntilDate, until);
  // Whoever locked it in COMPLIANCE meant it: S3 would refuse to weaken that.
  const Mode = head.ObjectLockMode === 'COMPLIANCE' ? 'COMPLIANCE' : mode;
  await guarded(`retain ${key}`, async () => {
    try {
      await bucket.client.send(
        new PutObjectRetentionCommand({
          ...{ ...bucket.of, Key: key, VersionId: head.VersionId },
          Retention: { Mode, RetainUntilDate: until },
        }),
      );
    } catch (error) {
      // Somebody may have extended it further since we looked; or we may not.
      if (statusOf(error) === 403) {
        requireLater(key, (await bucket.head(key)).ObjectLockRetainUntilDate, until);
      }
      throw error;
    }
  });
}

function requireLater(key: string, current: Date | undefined, until: Date): void {
  if (current === undefined || current <= until) return;
  throw new HoldfastError(
    'ObjectLockedError',
    `${key} is retained until ${current.toISOString()}; it cannot be shortened to ${until.toISOString()}.`,
  );
}

export const setHold = (bucket: Bucket, key: string, on: boolean): Promise<void> =>
  guarded(`${on ? 'hold' : 'free'} ${key}`, async () => {
    await bucket.client.send(
      new PutObjectLegalHoldCommand({
        ...{ ...bucket.of, Key: key },
        LegalHold: { Status: on ? 'ON' : 'OFF' },
      }),
    );
  });
