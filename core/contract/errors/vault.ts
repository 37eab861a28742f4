/** Errors of the vault and its objects. */
import { type ErrorEntry, entry } from './entry.ts';

export const vaultErrors = {
  VaultNotFoundError: entry(
    'this is not a vault',
    'Make one with `holdfast init --vault DIR`, or name the right folder.',
  ),
  VaultAccessDeniedError: entry(
    'the vault may not be read or written by this user',
    'Give the user that runs Holdfast read and write rights on the vault.',
  ),
  VaultFullError: entry(
    'there is no space left for the vault',
    'Free space or move the vault; the failed run left nothing that counts as a backup.',
  ),
  VaultIoError: entry(
    'the file system of the vault reported an error',
    'Check the disk; the message quotes the error.',
    true,
  ),
  ReplicaBehindError: entry(
    'the replica has not got everything of this backup yet',
    'The step is tried again by itself for 15 minutes. The backup is published and whole in its own Region; if the replica stays behind look at the replication status and its metrics.',
    true,
  ),
  ObjectNotFoundError: entry(
    'the vault has no such object',
    'Run `holdfast verify` on this backup.',
  ),
  ObjectTruncatedError: entry(
    'an object of the vault is shorter than it was when it was written',
    'It was damaged: run `holdfast verify` on this backup and restore the object from a replica.',
  ),
  ObjectDamagedError: entry(
    'the stored bytes of an object are not those that were written',
    'It was damaged: run `holdfast verify` on this backup and restore the object from a replica.',
  ),
  PreconditionFailedError: entry(
    'the object exists already or has been changed by somebody else',
    'Another process works on the same thing; let it end.',
  ),
  ObjectLockedError: entry(
    'the object is locked against deletion',
    'Wait until its retain-until date; this is what the lock is for.',
  ),
  InvalidObjectKeyError: entry(
    'this is not a valid object key',
    'Report it: keys are made by Holdfast.',
  ),
} as const satisfies Record<string, ErrorEntry>;
