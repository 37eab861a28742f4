/** Which errors of a restore speak against the backup, and which only against the day. */
import type { ErrorName } from '../contract/errors.ts';

/**
 * The backup's objects, rows or manifest are not what was sealed. A target that is down or full, a right that is missing
 * or a check of the user's own says nothing about the backup.
 */
const damage: ReadonlySet<string> = new Set<ErrorName>([
  'ObjectNotFoundError',
  'ObjectTruncatedError',
  'ObjectDamagedError',
  'DecryptionError',
  'SignatureInvalidError',
  'ManifestInvalidError',
  'BackupDamagedError',
  'RestoreDifferentError',
]);

/** @param name of an error of the catalogue */
export const isDamage = (name: string): boolean => damage.has(name);
