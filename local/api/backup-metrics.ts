/** Numbers about the backups of one source, from the catalogue alone. */
import type { CatalogueEntry } from '../../core/contract/catalogue.ts';

export interface BackupMetrics {
  readonly count: number;
  readonly fullCount: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  /** Plain bytes per stored byte; 1 without backups. */
  readonly compressionRatio: number;
  /** Snapshots, ISO 8601; null without backups. */
  readonly oldestAt: string | null;
  readonly newestAt: string | null;
  /** Age of the newest full backup: what would be lost now, milliseconds; null without one. */
  readonly rpoMs: number | null;
  /** From start to seal; null without backups. */
  readonly averageDurationMs: number | null;
}

/** @param entries newest first */
export function backupMetricsOf(entries: readonly CatalogueEntry[], now: Date): BackupMetrics {
  const sum = (of: (entry: CatalogueEntry) => number) =>
    entries.reduce((total, entry) => total + of(entry), 0);
  const full = entries.filter(({ scope }) => scope === 'full');
  const storedBytes = sum((entry) => entry.storedBytes);
  const rawBytes = sum((entry) => entry.rawBytes);
  const duration = (entry: CatalogueEntry) =>
    Date.parse(entry.finishedAt) - Date.parse(entry.startedAt);
  return {
    count: entries.length,
    fullCount: full.length,
    storedBytes,
    rawBytes,
    compressionRatio: storedBytes === 0 ? 1 : rawBytes / storedBytes,
    oldestAt: entries.at(-1)?.snapshotAt ?? null,
    newestAt: entries[0]?.snapshotAt ?? null,
    rpoMs: full[0] === undefined ? null : now.getTime() - Date.parse(full[0].snapshotAt),
    averageDurationMs: entries.length === 0 ? null : Math.round(sum(duration) / entries.length),
  };
}
