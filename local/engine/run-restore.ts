/** One restore on one machine: the deployed state machine, its handlers in worker processes, a directory vault. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../../core/contract/errors.ts';
import type { OutputOf } from '../../core/contract/payloads.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import {
  type RestoreReport,
  type RestoreRun,
  restoreInputSchema,
  restoreReportSchema,
} from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { readReport } from '../../core/report/write-report.ts';
import { markRestoreAborted } from '../../core/restore/abort-mark.ts';
import { readRestoreRun } from '../../core/restore/restore-run.ts';
import { renewTargetLease } from '../../core/restore/target-lease.ts';
import { onDatabase } from '../../core/restore/target-session.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { definitionOf } from './definition.ts';
import { interruptionOf, onAbort } from './interruption.ts';
import { openLocalDeps } from './local-deps.ts';
import { WorkerPool } from './pool.ts';
import { newRunId, runBackup } from './run-backup.ts';
import { type ChildExecution, execute, loadStateMachine } from './state-machine.ts';

export type RestoreRequest = z.input<typeof restoreInputSchema>;

export interface RunRestoreOptions {
  readonly vaultDirectory: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  /** The target server; its `database` is the one from which others are created, renamed and dropped. */
  readonly connection: ConnectionSettings;
  /** Options that are not given get `localRestoreDefaults`, not those of the cloud. */
  readonly input: RestoreRequest;
  /** Loads, builds and comparisons at once. */
  readonly jobs: number;
  readonly onProgress?: (event: Progress) => void;
  /** Ends the run in order: the target as it was, recorded as failed. A HoldfastError as its reason becomes the run's error. */
  readonly signal?: AbortSignal;
  readonly runId?: string;
  /** Told when the pool is there; for tests that end workers. */
  readonly onPool?: (pool: WorkerPool) => void;
}

/** A restore that was killed is gone on with by the same command, which waits for its lease: 10 s at most. */
export const localRestoreDefaults = { leaseSeconds: 10, pollSeconds: 1 } as const;

/** A backup that was killed together with its restore holds the lease on its source for as long as this at most. */
const safetyLeaseSeconds = 10;
const safetyLookMs = 1_000;

/**
 * @returns the report; its `runId` is that of the unfinished restore when there was one to go on with
 * @throws HoldfastError: the first error of the run. Its evidence has `runId` and, when a report was written, `report`:
 * its key in the workspace
 */
export async function runRestore(options: RunRestoreOptions): Promise<RestoreReport> {
  const { vaultDirectory, connection, jobs, signal } = options;
  signal?.throwIfAborted();
  const input = restoreInputSchema.parse({
    ...options.input,
    options: { ...localRestoreDefaults, ...options.input.options, jobs },
  });
  const { deps, keyFile } = await openLocalDeps(options);
  const execution = options.runId ?? newRunId();
  // Another one once PlanRestore has found a run to go on with.
  let runId = execution;
  const mark = async () => {
    if (signal !== undefined) await markRestoreAborted(deps, runId, interruptionOf(signal));
  };
  const pool = new WorkerPool({
    vaultDirectory,
    keyFile,
    connection,
    jobs,
    onProgress: deps.progress,
  });
  options.onPool?.(pool);
  if (!input.dryRun) pool.warmUp();
  using _ = onAbort(signal, mark);
  try {
    const output = await execute(await loadStateMachine(definitionOf('restore')), {
      name: execution,
      input,
      call: async (state, payload) => {
        deps.progress({ state });
        const result = await pool.call(state, payload);
        if (state === 'PlanRestore') {
          runId = (result as OutputOf<'PlanRestore'>).runId;
          if (signal?.aborted === true) await mark();
        }
        return result;
      },
      children: {
        SafetyBackup: async (child) => {
          const run = await readRestoreRun(deps.workspace, runId);
          return keepingLease(deps, run, () => takeSafetyBackup(options, keyFile, run, child));
        },
      },
    });
    return await wholeReport(deps, output);
  } catch (error) {
    throw await withReport(deps, runId, error);
  } finally {
    await pool.close();
  }
}

/** An output may be cut; here there is room for all of it. */
export async function wholeReport(
  deps: Pick<Deps, 'workspace'>,
  output: unknown,
): Promise<RestoreReport> {
  const report = restoreReportSchema.parse(output);
  if (report.isCut !== true) return report;
  return (await readReport(deps, report.runId)) ?? report;
}

/** No state runs meanwhile that would keep the lease on the target. */
async function keepingLease<T>(deps: Deps, run: RestoreRun, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(
    () => void renewTargetLease(deps, run).catch(() => undefined),
    (run.input.options.leaseSeconds * 1000) / 8,
  );
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Of the database that is about to be replaced or changed, into the same vault. */
async function takeSafetyBackup(
  { onProgress, signal, vaultDirectory, connection, jobs }: RunRestoreOptions,
  keyFile: string,
  { finalDatabase }: RestoreRun,
  { name, input }: ChildExecution,
): Promise<BackupReport> {
  // Its times are those of the cloud; here they are `localDefaults`.
  const { options: _options, ...request } = backupInputSchema.parse(input);
  for (const end = Date.now() + (safetyLeaseSeconds + 1) * 1000; ; await sleep(safetyLookMs)) {
    try {
      return await runBackup({
        ...{ vaultDirectory, keyFile, connection: onDatabase(connection, finalDatabase), jobs },
        input: { ...request, options: { leaseSeconds: safetyLeaseSeconds } },
        runId: name,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    } catch (error) {
      const mayBeFree = isHoldfastError(error, 'LeaseHeldError') && Date.now() < end;
      if (!mayBeFree) throw error;
    }
  }
}

/** Where the report of a run that failed is, for whoever shows the error. */
export async function withReport(
  deps: Pick<Deps, 'workspace'>,
  runId: string,
  error: unknown,
): Promise<unknown> {
  if (!isHoldfastError(error)) return error;
  const report = workspaceKeys.restoreReport(runId);
  const isThere = (await deps.workspace.get(report).catch(() => undefined)) !== undefined;
  return new HoldfastError(error.name, error.message, {
    hint: error.hint,
    evidence: { ...error.evidence, runId, ...(isThere ? { report } : {}) },
    cause: error,
  });
}
