/** Names of executions: read in the console, in mails and in keys of the workspace. `shop-manual-20261121t150412z-1a2b` */
import { randomBytes } from 'node:crypto';
import { compactTime } from '../../core/vault/keys.ts';

/**
 * Of 80 characters that a name may have: `-scratch` and `-safety` are added for child executions, and the rest here
 * (`-restore-20261121t150412z-1a2b3c4d`) has 35.
 */
const sourceAtMost = 36;

/** @param what `manual`, `restore`, `drill` … */
export function executionName(source: string | undefined, what: string, now: Date): string {
  const parts = [
    ...(source === undefined ? [] : [source.slice(0, sourceAtMost)]),
    what,
    compactTime(now).toLowerCase(),
    // A name stays taken for 90 days; two people may start in one second.
    randomBytes(4).toString('hex'),
  ];
  return parts.join('-');
}
