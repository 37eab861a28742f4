/** Names and units of the metrics; alarms and the dashboard use the same constants. */
export const metricNamespace = 'Holdfast';

export const metrics = {
  SnapshotAge: 'Seconds',
  BackupDuration: 'Milliseconds',
  BackupRawBytes: 'Bytes',
  BackupStoredBytes: 'Bytes',
  BackupRows: 'Count',
  BackupPublished: 'Count',
  BackupFailed: 'Count',
  VerifyDamaged: 'Count',
  /**
   * By the sentinel, per source: seconds since the newest backup's snapshot that is so far. A sealed one that is not
   * published counts for SealedAge alone: it cannot be restored.
   */
  SealedAge: 'Seconds',
  VerifiedAge: 'Seconds',
  ReplicatedAge: 'Seconds',
  ProvenAge: 'Seconds',
  ReplicaBehind: 'Count',
  RestoreFailed: 'Count',
  RestoreDuration: 'Milliseconds',
  DrillProven: 'Count',
  DrillFailed: 'Count',
  /** What CleanUp could not do after an execution; per machine. */
  CleanUpTroubles: 'Count',
} as const;

/** Dimension `source` of what failed when nobody knew, and no input said, of which source. */
export const unknownSource = 'unknown';

export type MetricName = keyof typeof metrics;
