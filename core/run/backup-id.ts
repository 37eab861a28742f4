/** Ids of backups: `<source>-<yyyymmdd>T<hhmmss>Z-<6 random base32>`, so that they sort by time and are told apart. */
import { randomBytes } from 'node:crypto';
import { compactTime } from '../vault/keys.ts';

/** RFC 4648, lower case. 30 bits tell apart what began in the same second. */
const digits = 'abcdefghijklmnopqrstuvwxyz234567';

export function newBackupId(source: string, startedAt: Date): string {
  const random = Array.from(randomBytes(6), (byte) => digits[byte & 31]).join('');
  return `${source}-${compactTime(startedAt)}-${random}`;
}
