import { HoldfastError } from '../../contract/errors.ts';
import type { PreflightItem } from '../../contract/restore.ts';

/**
 * @param consequence said before what failed
 * @throws PreflightFailedError with the whole list
 */
export function requirePassed(items: readonly PreflightItem[], consequence = ''): void {
  const failed = items.filter(({ verdict }) => verdict === 'failed');
  if (failed.length === 0) return;
  const reasons = failed.map(({ check, message }) => `${check}: ${message}`).join(' ');
  throw new HoldfastError('PreflightFailedError', consequence + reasons, { evidence: { items } });
}
