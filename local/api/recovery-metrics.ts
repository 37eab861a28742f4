/** Numbers about the recoveries that a vault's workspace remembers. */
import type { RestoreReport } from '../../core/contract/restore.ts';

export interface RecoveryMetrics {
  /** Dry runs are not counted. */
  readonly count: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly drills: number;
  /** Of those that succeeded, milliseconds; null without one. */
  readonly medianRtoMs: number | null;
  readonly longestRtoMs: number | null;
  /** When a drill last found a backup identical, ISO 8601. */
  readonly lastProvenAt: string | null;
  readonly lastProvenBackupId: string | null;
}

/** @param reports newest first */
export function recoveryMetricsOf(reports: readonly RestoreReport[]): RecoveryMetrics {
  const real = reports.filter(({ kind }) => kind !== 'dry-run');
  const succeeded = real.filter(({ state }) => state === 'succeeded');
  const rtos = succeeded.map(({ rtoMs }) => rtoMs).sort((a, b) => a - b);
  const proven = succeeded.find(({ kind, verdict }) => kind === 'drill' && verdict === 'identical');
  return {
    count: real.length,
    succeeded: succeeded.length,
    failed: real.filter(({ state }) => state === 'failed').length,
    drills: real.filter(({ kind }) => kind === 'drill').length,
    medianRtoMs: rtos[Math.floor((rtos.length - 1) / 2)] ?? null,
    longestRtoMs: rtos.at(-1) ?? null,
    lastProvenAt: proven?.finishedAt ?? null,
    lastProvenBackupId: proven?.backupId ?? null,
  };
}
