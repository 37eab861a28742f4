/** Our own dump: the states up to the last DumpUnit, by the handlers, in worker processes, into a directory vault. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { InputOf, OutputOf, StateName } from '../core/contract/payloads.ts';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { WorkerPool } from '../local/engine/pool.ts';
import { newRunId } from '../local/engine/run-backup.ts';
import { initVault } from '../local/vault/open-vault.ts';
import type { Measured } from './contenders.ts';
import { cpuSeconds } from './server.ts';

export interface OurRun {
  /** From HoldSnapshot to the last receipt, with the start of the processes. */
  readonly whole: Measured;
  /** The DumpUnit states alone, in processes that run already. */
  readonly units: Measured;
  readonly storedBytes: number;
  readonly rows: number;
  /** The highest resident set of a worker process, bytes. */
  readonly peakBytes: number;
}

function peakBytes(pids: readonly number[]): number {
  const peaks = pids.map((pid) =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  );
  return Math.max(...peaks) * 1024;
}

export async function dumpByUs(
  connection: ConnectionSettings,
  folder: string,
  jobs: number,
  filters: object = {},
): Promise<OurRun> {
  rmSync(folder, { recursive: true, force: true });
  const vaultDirectory = join(folder, 'vault');
  const keyFile = join(folder, 'key.json');
  await initVault(vaultDirectory, { keyFile });
  const ownCpu = process.cpuUsage();
  const started = performance.now();
  const pool = new WorkerPool({ vaultDirectory, keyFile, connection, jobs, onProgress: () => {} });
  const call = async <S extends StateName>(state: S, input: InputOf<S>): Promise<OutputOf<S>> =>
    (await pool.call(state, input)) as OutputOf<S>;
  const runId = newRunId();
  try {
    const request = {
      source: 'bench',
      filters,
      options: { jobs },
      requestedBy: { user: 'bench', host: 'bench' },
    };
    await call('Plan', { runId, request } as InputOf<'Plan'>);
    await call('HoldSnapshot', { runId, attempt: 1 });
    await call('DumpSchema', { runId });
    const { units } = await call('PlanUnits', { runId });
    const pids = await pool.unitPids();
    const cpuBefore = cpuSeconds(pids);
    const unitsStarted = performance.now();
    const totals = { rows: 0, storedBytes: 0 };
    const waiting = [...units];
    const work = async () => {
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
        for (let part = 0, more = true; more; part++) {
          const done = await call('DumpUnit', { runId, unit, part });
          totals.rows += done.rows;
          totals.storedBytes += done.storedBytes;
          more = done.hasRemainder;
        }
      }
    };
    await Promise.all(Array.from({ length: jobs }, work));
    const ended = performance.now();
    const all = await pool.unitPids();
    const workerCpu = cpuSeconds(all);
    const peak = peakBytes(all);
    const { user, system } = process.cpuUsage(ownCpu);
    await call('ReleaseSnapshot', { runId });
    return {
      units: { wallSeconds: (ended - unitsStarted) / 1000, cpuSeconds: workerCpu - cpuBefore },
      whole: {
        wallSeconds: (ended - started) / 1000,
        cpuSeconds: workerCpu + (user + system) / 1e6,
      },
      ...totals,
      peakBytes: peak,
    };
  } finally {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
