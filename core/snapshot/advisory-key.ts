/** The advisory lock of a run's attempt: held shared by all who work on the run, tried exclusively by the holders. */
import { createHash } from 'node:crypto';

/**
 * 63 bits of SHA-256 over run and attempt, as int8 text: never negative, and no two runs meet by chance
 * (10⁶ runs at once: 1 in 10⁷). An attempt has its own key, so that late workers of an earlier one hold up nothing.
 */
export function advisoryKeyOf(runId: string, attempt: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([runId, attempt]))
    .digest();
  return String(digest.readBigUInt64BE(0) >> 1n);
}
