/** One drill on one machine: the deployed state machine, whose restore is an execution of `restore` like any other. */
import type { z } from 'zod';
import type { Progress } from '../../core/contract/deps.ts';
import {
  drillInputSchema,
  type RestoreReport,
  restoreInputSchema,
} from '../../core/contract/restore.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { definitionOf } from './definition.ts';
import { openLocalDeps } from './local-deps.ts';
import { WorkerPool } from './pool.ts';
import { newRunId } from './run-backup.ts';
import { localRestoreDefaults, runRestore, wholeReport, withReport } from './run-restore.ts';
import { execute, loadStateMachine } from './state-machine.ts';

export type DrillRequest = z.input<typeof drillInputSchema>;

export interface RunDrillOptions {
  readonly vaultDirectory: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  /** The server on which the scratch database is made. */
  readonly connection: ConnectionSettings;
  /** Options that are not given get `localRestoreDefaults`, not those of the cloud. */
  readonly input: DrillRequest;
  /** Loads, builds and comparisons at once. */
  readonly jobs: number;
  readonly onProgress?: (event: Progress) => void;
  /** Ends the restore in order; the scratch database is dropped and nothing is recorded about the backup. */
  readonly signal?: AbortSignal;
  readonly runId?: string;
}

/**
 * @returns the report of a backup that is proven
 * @throws HoldfastError as `runRestore`; RestoreDifferentError when the backup came back otherwise
 */
export async function runDrill(options: RunDrillOptions): Promise<RestoreReport> {
  const { vaultDirectory, connection, jobs, onProgress, signal } = options;
  signal?.throwIfAborted();
  const input = drillInputSchema.parse({
    ...options.input,
    options: { ...localRestoreDefaults, ...options.input.options, jobs },
  });
  const { deps, keyFile } = await openLocalDeps(options);
  const runId = options.runId ?? newRunId();
  // For planning and concluding only: the restore has a pool of its own.
  const pool = new WorkerPool({
    ...{ vaultDirectory, keyFile, connection, jobs: 1 },
    onProgress: deps.progress,
  });
  try {
    const output = await execute(await loadStateMachine(definitionOf('drill')), {
      name: runId,
      input,
      call: (state, payload) => {
        deps.progress({ state });
        return pool.call(state, payload);
      },
      children: {
        RestoreToScratch: (child) =>
          runRestore({
            ...{ vaultDirectory, keyFile, connection, jobs, runId: child.name },
            input: restoreInputSchema.parse(child.input),
            ...(onProgress === undefined ? {} : { onProgress }),
            ...(signal === undefined ? {} : { signal }),
          }),
      },
    });
    return await wholeReport(deps, output);
  } catch (error) {
    throw await withReport(deps, runId, error);
  } finally {
    await pool.close();
  }
}
