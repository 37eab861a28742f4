/** Recoveries from one vault to one target server, for programs: restore, roll back, drill, and what became of them. */
import { hostname, userInfo } from 'node:os';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { findReport, listReports } from '../../core/report/list-reports.ts';
import { discardPrevious, type RolledBack, rollback } from '../../core/restore/rollback.ts';
import { openLocalDeps } from '../engine/local-deps.ts';
import { type DrillRequest, runDrill } from '../engine/run-drill.ts';
import { type RestoreRequest, runRestore } from '../engine/run-restore.ts';
import { connectionOf, type DatabaseReference } from './connection.ts';
import { type RecoveryMetrics, recoveryMetricsOf } from './recovery-metrics.ts';

export interface RecoveryManagerOptions {
  /** Folder of the vault. */
  readonly vault: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  /** The server that is restored to; its database is one from which others are created and renamed, say `postgres`. */
  readonly target: DatabaseReference;
  /** Loads, builds and comparisons at once. Default 2. */
  readonly jobs?: number;
}

/** What a restore is asked for, less what the manager knows. */
export type RecoveryRequest = Omit<RestoreRequest, 'target' | 'requestedBy'>;

export interface RecoveryRunOptions {
  readonly onProgress?: (event: Progress) => void;
  /** Ends it in order: the target as it was. */
  readonly signal?: AbortSignal;
}

export type RecoveryTestOptions = RecoveryRunOptions &
  Omit<DrillRequest, 'target' | 'requestedBy'> & {
    /** Preflight only: nothing is restored, nothing is proven. */
    readonly dryRun?: boolean;
  };

/** @throws VaultNotFoundError, KeyFileMissingError, KeyMismatchError …; the server is not reached yet */
export async function openRecoveryManager(
  options: RecoveryManagerOptions,
): Promise<RecoveryManager> {
  const connection = connectionOf(options.target);
  const { deps, keyFile } = await openLocalDeps({
    vaultDirectory: options.vault,
    connection,
    ...(options.keyFile === undefined ? {} : { keyFile: options.keyFile }),
  });
  const place = { vaultDirectory: options.vault, keyFile };
  return new RecoveryManager(deps, { place, connection, jobs: options.jobs ?? 2 });
}

interface Bound {
  readonly place: { readonly vaultDirectory: string; readonly keyFile: string };
  readonly connection: ConnectionSettings;
  readonly jobs: number;
}

/** The name under which a run knows the target's connection. */
const target = 'target';
const requestedBy = () => ({ user: userInfo().username, host: hostname() });

export class RecoveryManager {
  readonly #deps: Deps;
  readonly #bound: Bound;

  /** @internal use `openRecoveryManager` */
  constructor(deps: Deps, bound: Bound) {
    this.#deps = deps;
    this.#bound = bound;
  }

  /** A whole backup into a new database. @param backup `latest`, an id, or the beginning of one */
  restoreBackup(
    backup = 'latest',
    request: Omit<RecoveryRequest, 'choice' | 'mode'> & { readonly source?: string } = {},
    options: RecoveryRunOptions = {},
  ): Promise<RestoreReport> {
    const { source, ...rest } = request;
    const choice = { backup, ...(source === undefined ? {} : { source }) };
    return this.executeRecovery({ ...rest, choice, mode: 'new' }, options);
  }

  /** Any restore: mode `new`, `swap` or `into`. @throws the first error of the run; the target is as it was then */
  executeRecovery(
    request: RecoveryRequest,
    options: RecoveryRunOptions = {},
  ): Promise<RestoreReport> {
    const { place, connection, jobs } = this.#bound;
    const input = { ...request, target, requestedBy: requestedBy() };
    return runRestore({ ...place, connection, jobs, input, ...options });
  }

  /** After a swap: the old database gets its name back. @throws RollbackImpossibleError, TargetInUseError */
  rollbackRecovery(
    runId: string,
    options: { readonly disconnect?: boolean } = {},
  ): Promise<RolledBack> {
    return rollback(this.#deps, runId, { disconnect: options.disconnect === true });
  }

  /** After a swap: the old database is dropped for good. @throws RollbackImpossibleError */
  discardPrevious(runId: string): Promise<{ readonly dropped: string }> {
    return discardPrevious(this.#deps, runId);
  }

  /** Restores, drills and dry runs, newest first. */
  listRecoveries(): Promise<RestoreReport[]> {
    return listReports(this.#deps);
  }

  /** @throws UsageError when there is none */
  getRecovery(runId: string): Promise<RestoreReport> {
    return findReport(this.#deps, runId);
  }

  /** A drill: restores to a scratch database, compares everything, drops it, leaves signed evidence. */
  testRecovery(options: RecoveryTestOptions = {}): Promise<RestoreReport> {
    const { dryRun = false, onProgress, signal, keepScratch, ...request } = options;
    const run: RecoveryRunOptions = {
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    };
    if (dryRun) return this.executeRecovery({ ...request, dryRun: true }, run);
    const { place, connection, jobs } = this.#bound;
    const input = {
      ...request,
      target,
      requestedBy: requestedBy(),
      ...(keepScratch === undefined ? {} : { keepScratch }),
    };
    return runDrill({ ...place, connection, jobs, input, ...run });
  }

  async getRecoveryMetrics(): Promise<RecoveryMetrics> {
    return recoveryMetricsOf(await this.listRecoveries());
  }
}
