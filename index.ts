/** Holdfast for programs: `openBackupManager` and `openRecoveryManager`. See docs/api.md. */
export type {
  BackupReport,
  CatalogueEntry,
  EvidenceRecord,
  VerifyReport,
} from './core/contract/catalogue.ts';
export type { Progress } from './core/contract/deps.ts';
export { type ErrorName, HoldfastError, isHoldfastError } from './core/contract/errors.ts';
export type { Manifest, Tier } from './core/contract/manifest.ts';
export type { Difference, RestoreReport } from './core/contract/restore.ts';
export type { ConnectionSettings } from './core/postgres/connection.ts';
export {
  type BackupDetails,
  type BackupManager,
  type BackupManagerOptions,
  type CreateBackupOptions,
  openBackupManager,
} from './local/api/backup-manager.ts';
export type { BackupMetrics } from './local/api/backup-metrics.ts';
export type { DatabaseReference } from './local/api/connection.ts';
export {
  openRecoveryManager,
  type RecoveryManager,
  type RecoveryManagerOptions,
  type RecoveryRequest,
  type RecoveryRunOptions,
  type RecoveryTestOptions,
} from './local/api/recovery-manager.ts';
export type { RecoveryMetrics } from './local/api/recovery-metrics.ts';
export { initVault } from './local/vault/open-vault.ts';
