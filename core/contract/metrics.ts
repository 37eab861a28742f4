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
} as const;

export type MetricName = keyof typeof metrics;
