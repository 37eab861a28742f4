/** One backup on one machine: the deployed state machine, its handlers in worker processes, a directory vault. */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { type BackupReport, backupReportSchema } from '../../core/contract/catalogue.ts';
import type { Progress } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { markAborted } from '../../core/run/abort-mark.ts';
import { compactTime } from '../../core/vault/keys.ts';
import { definitionOf } from './definition.ts';
import { interruptionOf, onAbort } from './interruption.ts';
import { openLocalDeps } from './local-deps.ts';
import { WorkerPool } from './pool.ts';
import { execute, loadStateMachine } from './state-machine.ts';

export type BackupRequest = z.input<typeof backupInputSchema>;

export interface RunBackupOptions {
  readonly vaultDirectory: string;
  /** Default: where `holdfast init` puts it for this vault. */
  readonly keyFile?: string;
  readonly connection: ConnectionSettings;
  /** Options that are not given get `localDefaults`, not those of the cloud. */
  readonly input: BackupRequest;
  /** Units at once. */
  readonly jobs: number;
  readonly onProgress?: (event: Progress) => void;
  /** Ends the run in order: recorded as failed, no locks left. A HoldfastError as its reason becomes the run's error. */
  readonly signal?: AbortSignal;
  readonly runId?: string;
  /** Told when the pool is there; for tests that end workers. */
  readonly onPool?: (pool: WorkerPool) => void;
}

/**
 * On one machine states follow each other without cold starts: looks are cheap, and what a dead process leaves behind
 * (holders three rounds, the lease) should be gone within half a minute.
 */
export const localDefaults = { holdRoundSeconds: 5, watchSeconds: 1, leaseSeconds: 30 } as const;

/**
 * @throws HoldfastError: the first error of the run; DuplicateRunError when the scheduled time was claimed by another
 */
export async function runBackup(options: RunBackupOptions): Promise<BackupReport> {
  const { vaultDirectory, connection, jobs, signal } = options;
  signal?.throwIfAborted();
  const input = backupInputSchema.parse({
    ...options.input,
    options: { ...localDefaults, ...options.input.options, jobs },
  });
  const { deps, keyFile } = await openLocalDeps(options);
  const runId = options.runId ?? newRunId();
  const pool = new WorkerPool({
    vaultDirectory,
    keyFile,
    connection,
    jobs,
    onProgress: deps.progress,
  });
  options.onPool?.(pool);
  using _ = onAbort(signal, async () => {
    if (signal !== undefined) await markAborted(deps, runId, interruptionOf(signal));
  });
  try {
    const output = await execute(await loadStateMachine(definitionOf('backup')), {
      name: runId,
      input,
      call: (state, payload) => {
        deps.progress({ state });
        return pool.call(state, payload);
      },
    });
    const report = backupReportSchema.safeParse(output);
    if (report.success) return report.data;
    throw new HoldfastError(
      'DuplicateRunError',
      `The time ${input.scheduledAt} of ${input.source} was already claimed by another run.`,
      { evidence: { output } },
    );
  } finally {
    await pool.close();
  }
}

/** Short: session names on the server have 63 bytes. Sorts by time. */
export const newRunId = (): string =>
  `${compactTime(new Date()).toLowerCase()}-${randomBytes(4).toString('hex')}`;
