/**
 * Backups of one database in one vault, for programs: what the command line does, as functions.
 *
 * Invariant: nothing is done here that the state machines do not do; a promise that resolves has the same meaning as
 * exit code 0 of the command.
 */
import { hostname, userInfo } from 'node:os';
import { BackupSide } from '../../core/compare/backup-side.ts';
import { compareSides, type SidesComparison } from '../../core/compare/compare-sides.ts';
import { openLiveSide } from '../../core/compare/live-side.ts';
import type {
  BackupReport,
  CatalogueEntry,
  EvidenceRecord,
  VerifyReport,
} from '../../core/contract/catalogue.ts';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Filters } from '../../core/contract/filters.ts';
import type { Manifest, Tier } from '../../core/contract/manifest.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { listCatalogue } from '../../core/evidence/catalogue.ts';
import { type DeletedBackup, deleteBackup } from '../../core/evidence/delete-backup.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { applicationNameOf } from '../../core/postgres/application-name.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { chooseBackup } from '../../core/restore/choose-backup.ts';
import { requirePassed } from '../../core/restore/preflight/require-passed.ts';
import { markAborted } from '../../core/run/abort-mark.ts';
import { failureOf } from '../../core/run/failure.ts';
import { findRun } from '../../core/run/run-record.ts';
import { slugOf } from '../../core/run/source-slug.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { openLocalDeps } from '../engine/local-deps.ts';
import { newRunId, runBackup } from '../engine/run-backup.ts';
import { runRestore } from '../engine/run-restore.ts';
import { type BackupMetrics, backupMetricsOf } from './backup-metrics.ts';
import { connectionOf, type DatabaseReference } from './connection.ts';

export interface BackupManagerOptions {
  /** Folder of the vault. */
  readonly vault: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  /** The database that is backed up. */
  readonly database: DatabaseReference;
  /** Name under which it is filed. Default: from the name of the database. */
  readonly source?: string;
  /** Units at once. Default 2. */
  readonly jobs?: number;
}

export interface CreateBackupOptions {
  readonly tier?: Tier;
  readonly labels?: Readonly<Record<string, string>>;
  readonly filters?: Partial<Filters>;
  readonly onProgress?: (event: Progress) => void;
  /** Ends the run in order: recorded as failed, no locks left. */
  readonly signal?: AbortSignal;
  /** For `cancelBackup` from elsewhere. Default: a new one. */
  readonly runId?: string;
}

export interface BackupDetails {
  readonly entry: CatalogueEntry;
  readonly manifest: Manifest;
  /** SHA-256 of the signed manifest, hex. */
  readonly manifestSha256: string;
  /** Oldest first, each with a good signature. */
  readonly evidence: readonly EvidenceRecord[];
}

/** @throws VaultNotFoundError, KeyFileMissingError, KeyMismatchError …; the server is not reached yet */
export async function openBackupManager(options: BackupManagerOptions): Promise<BackupManager> {
  const connection = connectionOf(options.database);
  const { deps, keyFile } = await openLocalDeps({
    vaultDirectory: options.vault,
    connection,
    ...(options.keyFile === undefined ? {} : { keyFile: options.keyFile }),
  });
  const source = options.source ?? slugOf(connection.database);
  return new BackupManager(deps, {
    place: { vaultDirectory: options.vault, keyFile },
    connection,
    source,
    jobs: options.jobs ?? 2,
  });
}

interface Bound {
  readonly place: { readonly vaultDirectory: string; readonly keyFile: string };
  readonly connection: ConnectionSettings;
  readonly source: string;
  readonly jobs: number;
}

const requestedBy = () => ({ user: userInfo().username, host: hostname() });

export class BackupManager {
  readonly #deps: Deps;
  readonly #bound: Bound;

  /** @internal use `openBackupManager` */
  constructor(deps: Deps, bound: Bound) {
    this.#deps = deps;
    this.#bound = bound;
  }

  get source(): string {
    return this.#bound.source;
  }

  /** @returns when the backup is published: read back, verified, signed, listed. @throws the first error of the run */
  async createBackup(options: CreateBackupOptions = {}): Promise<BackupReport> {
    const { place, connection, source, jobs } = this.#bound;
    const { tier = 'manual', labels = {}, filters = {}, onProgress, signal, runId } = options;
    return runBackup({
      ...place,
      connection,
      jobs,
      input: { source, tier, labels: { ...labels }, filters, requestedBy: requestedBy() },
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
      ...(runId === undefined ? {} : { runId }),
    });
  }

  /** A backup of the tier "safety": taken before something risky; never what `latest` means. */
  createSafetyBackup(reason: string, options: CreateBackupOptions = {}): Promise<BackupReport> {
    const labels = { ...options.labels, reason };
    return this.createBackup({ ...options, tier: 'safety', labels });
  }

  /**
   * Takes a safety backup, runs `work`, and when that throws puts the database as it was before in its place (the one that
   * `work` left is kept aside). Sessions of the database are ended then.
   *
   * @returns what `work` returns
   * @throws PreflightFailedError before `work` when it could not be taken back; what `work` throws; when the restore failed too, an AggregateError of both
   */
  async withSafetyBackup<T>(
    reason: string,
    work: (backup: BackupReport) => Promise<T>,
  ): Promise<T> {
    const backup = await this.createSafetyBackup(reason);
    const { preflight } = await this.#putBack(backup.backupId, true);
    requirePassed(preflight, 'Nothing was run, because it could not be taken back. ');
    try {
      return await work(backup);
    } catch (error) {
      try {
        await this.#putBack(backup.backupId, false);
      } catch (cause) {
        throw new AggregateError(
          [error, cause],
          `What was guarded failed, and so did the restore of ${backup.backupId}.`,
        );
      }
      throw error;
    }
  }

  /** Newest first. */
  async listBackups(query: { readonly limit?: number } = {}): Promise<CatalogueEntry[]> {
    const entries: CatalogueEntry[] = [];
    for await (const entry of listCatalogue(this.#deps.vault, { source: this.source })) {
      if (entries.length === (query.limit ?? Number.POSITIVE_INFINITY)) break;
      entries.push(entry);
    }
    return entries;
  }

  /** @param wanted `latest`, an id, or the beginning of one. @throws BackupNotFoundError, UsageError, SignatureInvalidError */
  async getBackup(wanted = 'latest'): Promise<BackupDetails> {
    const { entry, manifest, sha256 } = await this.#choose(wanted);
    const evidence: EvidenceRecord[] = [];
    const all = readAllEvidence(this.#deps, this.source, entry.backupId);
    for await (const { key: _, ...record } of all) evidence.push(record);
    return { entry, manifest, manifestSha256: sha256, evidence };
  }

  /** Reads everything back (or, `quick`, sizes and hashes only); damage is a verdict and not an error. */
  async verifyBackup(
    wanted = 'latest',
    options: { readonly quick?: boolean } = {},
  ): Promise<VerifyReport> {
    const { entry } = await this.#choose(wanted);
    return verifyBackup(this.#deps, {
      source: entry.source,
      backupId: entry.backupId,
      depth: options.quick === true ? 'quick' : 'full',
      concurrency: this.#bound.jobs,
      by: requestedBy(),
    });
  }

  /** Definitions, rows, sequences, large objects, settings of two backups. */
  async compareBackups(left: string, right: string): Promise<SidesComparison> {
    const [a, b] = [await this.#choose(left), await this.#choose(right)];
    const sides = [
      new BackupSide(this.#deps, a.manifest),
      new BackupSide(this.#deps, b.manifest),
    ] as const;
    return compareSides(...sides, { withKeys: false });
  }

  /** The same of a backup and the database as it is now. */
  async compareWithDatabase(wanted = 'latest'): Promise<SidesComparison> {
    const { manifest } = await this.#choose(wanted);
    const applicationName = applicationNameOf(newRunId(), 'compare');
    const live = await openLiveSide(this.#bound.connection, {
      applicationName,
      jobs: this.#bound.jobs,
    });
    try {
      return await compareSides(new BackupSide(this.#deps, manifest), live, { withKeys: false });
    } finally {
      await live.close();
    }
  }

  /** @throws ObjectLockedError, and then nothing was deleted; UsageError for the last full one without `mayBeLast` */
  async deleteBackup(
    backupId: string,
    options: { readonly mayBeLast?: boolean } = {},
  ): Promise<DeletedBackup> {
    return deleteBackup(this.#deps, { source: this.source, backupId }, options);
  }

  /** Tells a run to end, from whatever process; it records itself as failed. @throws UsageError when there is no such run */
  async cancelBackup(runId: string): Promise<void> {
    if ((await findRun(this.#deps, runId)) === undefined) {
      throw new HoldfastError('UsageError', `There is no run ${JSON.stringify(runId)}.`, {
        hint: 'Give the runId with which createBackup was called.',
      });
    }
    const error = new HoldfastError('RunAbortedError', 'The backup was cancelled.');
    await markAborted(this.#deps, runId, failureOf(error));
  }

  async getBackupMetrics(): Promise<BackupMetrics> {
    return backupMetricsOf(await this.listBackups(), this.#deps.now());
  }

  #choose(wanted: string) {
    return chooseBackup(this.#deps, { source: this.source, backup: wanted, labels: {} });
  }

  #putBack(backupId: string, dryRun: boolean): Promise<RestoreReport> {
    const { place, connection, source, jobs } = this.#bound;
    return runRestore({
      ...place,
      jobs,
      connection: { ...connection, database: 'postgres' },
      input: {
        target: 'target',
        choice: { source, backup: backupId },
        mode: 'swap',
        database: connection.database,
        safetyBackup: false,
        disconnect: true,
        dryRun,
        requestedBy: requestedBy(),
      },
    });
  }
}
