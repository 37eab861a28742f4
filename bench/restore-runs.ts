/** One restore of the same data by each contender, into a database of its own, with its wall and CPU time. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { EmbeddedServer } from '../local/embedded-server.ts';
import type { WorkerPool } from '../local/engine/pool.ts';
import { type RestoreRequest, runRestore } from '../local/engine/run-restore.ts';
import { cpuSeconds } from './server.ts';

export interface RestoreTimes {
  readonly wallSeconds: number;
  readonly clientCpuSeconds: number;
  /** Of the server's processes, but those that live longer (checkpointer, WAL writer). */
  readonly serverCpuSeconds: number;
}

export interface Restored {
  /** With the comparison of everything that was restored, which the others do not do. */
  readonly whole: RestoreTimes;
  /** From the request to the last index and ANALYZE: what the others do, and ANALYZE. */
  readonly built: Pick<RestoreTimes, 'wallSeconds'>;
  readonly phases: Readonly<Record<string, number>>;
  readonly readBytes: number;
}

/**
 * On loopback a restore takes the cores that this machine counts for the server's. In the model of half cores there are
 * more: the same address as one number is not taken for this machine, and the server's own settings stay, as for others.
 */
const host = process.env.BENCH_HALF_CORES === '1' ? '2130706433' : '127.0.0.1';

/** psql and pg_restore are beside pg_dump. */
export const beside = (pgDump: string, tool: string): string =>
  pgDump.includes('/') ? join(dirname(pgDump), tool) : tool;

export async function admin(server: EmbeddedServer, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

export function shell(server: EmbeddedServer, command: string, environment: NodeJS.ProcessEnv) {
  // bash's own `time` counts every process that the command waited for.
  const script = `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${command}; }`;
  const { status, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      ...{ LC_ALL: 'C', PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: server.user },
      PGPASSWORD: server.password,
      ...environment,
    },
  });
  const times = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr);
  if (status !== 0 || times === null) throw new Error(`${command} failed:\n${stderr}`);
  return { wallSeconds: Number(times[1]), clientCpuSeconds: Number(times[2]) + Number(times[3]) };
}

/** A process of the server ends a moment after its client has said goodbye. */
async function endedCpu(server: EmbeddedServer): Promise<number> {
  await sleep(300);
  return cpuSeconds([server.pid], 'ended children');
}

/** @param command in a shell with $PGDATABASE, which is empty */
export async function restoreByShell(
  server: EmbeddedServer,
  command: string,
  environment: NodeJS.ProcessEnv,
): Promise<RestoreTimes> {
  await admin(server, 'CREATE DATABASE restored TEMPLATE template0', 'CHECKPOINT');
  const before = await endedCpu(server);
  const times = shell(server, command, { ...environment, PGDATABASE: 'restored' });
  const serverCpuSeconds = (await endedCpu(server)) - before;
  await admin(server, 'DROP DATABASE restored WITH (FORCE)');
  return { ...times, serverCpuSeconds };
}

export async function restoreByUs(
  server: EmbeddedServer,
  options: { vaultDirectory: string; keyFile: string; jobs: number },
  input: Pick<RestoreRequest, 'mode' | 'selection'> = {},
): Promise<Restored> {
  const isInto = input.mode === 'into';
  await admin(
    server,
    ...(isInto ? ['CREATE DATABASE restored TEMPLATE template0'] : []),
    'CHECKPOINT',
  );
  const before = await endedCpu(server);
  const ownCpu = process.cpuUsage();
  const started = performance.now();
  let pool: WorkerPool | undefined;
  let workersCpu = Promise.resolve(0);
  const report = await runRestore({
    ...options,
    connection: { ...server.settings(), host },
    input: {
      ...{ target: 'bench', database: 'restored', requestedBy: { user: 'bench', host: 'bench' } },
      ...input,
    },
    onPool: (made) => {
      pool = made;
    },
    // The last state whose workers are still there to be asked.
    onProgress: ({ state }) => {
      if (state === 'ReportRestore' && pool !== undefined)
        workersCpu = pool.allPids().then((pids) => cpuSeconds(pids));
    },
  });
  const wallSeconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(ownCpu);
  const whole = {
    wallSeconds,
    clientCpuSeconds: (await workersCpu) + (user + system) / 1e6,
    serverCpuSeconds: (await endedCpu(server)) - before,
  };
  if (report.verdict !== 'identical') throw new Error(`The restore is ${report.verdict}.`);
  await admin(server, 'DROP DATABASE restored WITH (FORCE)');
  const lastBuilt = report.timeline.find(({ part }) => part === 'build')?.to ?? report.finishedAt;
  // Starting the processes is before `startedAt` and counts.
  const after = (Date.parse(report.finishedAt) - Date.parse(lastBuilt)) / 1000;
  const { phases, readBytes } = report;
  return { whole, built: { wallSeconds: wallSeconds - after }, phases, readBytes };
}
