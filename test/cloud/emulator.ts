/**
 * An emulator of AWS for the cloud tests: MiniStack, started by `launch.py` on the loopback and a free port. With
 * AWS_ENDPOINT_URL set (a LocalStack user) that one is used and nothing is started.
 *
 * Facts that cost time: the key id of a client is its account (in IAM mode `test`/`test` is root instead); without
 * IOT_MTLS_ENABLED=0 it opens a port on all interfaces; its Lambdas are Node processes that need Node 24 first on PATH
 * and, for CDK's own functions, a NODE_PATH with the AWS SDK; they inherit its environment, so that is made from
 * nothing; locks of objects are forgotten at a restart. What else differs from AWS is in the header of `launch.py`.
 *
 * Invariant: it lives as long as the process that started it, whichever way that ends, and its folder with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../local/free-port.ts';
import { cloudPython } from './python-venv.ts';

export interface EmulatorOptions {
  /** Roles, key policies and bucket policies are enforced. Needs an emulator of its own. */
  readonly iam?: boolean;
  readonly port?: number;
  /** For what it keeps; a temporary folder that goes with it when it isn't given. */
  readonly stateDir?: string;
}

export interface Emulator {
  readonly endpoint: string;
  readonly accountId: string;
  /** What a client of the AWS SDK or the CDK needs in its environment. Without a Region. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls to the Regions in the lines of this file are refused; absent for one that we did not start. */
  readonly closedRegionsFile?: string;
  /** Errors that it shall answer (`Faults` in extensions.py); absent for one that we did not start. */
  readonly faultsFile?: string;
  /** Of it and all its Lambda processes; absent for one that we did not start. */
  readonly processGroup?: number;
  /** The last lines of its log; empty for one that we did not start. */
  logTail(lines?: number): string;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');
const ourAccount = '123456789012';
/** Wait states and the pauses before a Retry take a quarter of their time: their order stays, and nobody asserts seconds. */
const waitScale = '0.25';
/** It takes a second on a calm machine; a hundred times that is a failure. */
const readyTimeoutMs = 100_000;

/** @throws Error with the tail of its log when it does not come up */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const given = process.env['AWS_ENDPOINT_URL'];
  if (given !== undefined && given !== '') return useGiven(given);
  const python = await cloudPython();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cloud-'));
  const port = options.port ?? (await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  const stateDir = options.stateDir ?? join(folder, 'state');
  await mkdir(join(folder, 'tmp'));
  const closedRegionsFile = join(folder, 'closed-regions');
  const faultsFile = join(folder, 'faults.json');
  const logFile = join(folder, 'emulator.log');
  const log = openSync(logFile, 'a');
  const child = spawn(python, [join(import.meta.dirname, 'launch.py')], {
    // A group of its own, so that its Lambda processes can be ended with it.
    detached: true,
    stdio: ['ignore', log, log],
    cwd: folder,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'] ?? folder,
      LANG: 'C.UTF-8',
      TMPDIR: join(folder, 'tmp'),
      HOLDFAST_EMULATOR_FOLDER: folder,
      NODE_PATH: join(root, 'node_modules'),
      PYTHONDONTWRITEBYTECODE: '1',
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      MINISTACK_ACCOUNT_ID: ourAccount,
      STATE_DIR: stateDir,
      SFN_WAIT_SCALE: waitScale,
      HOLDFAST_CLOSED_REGIONS: closedRegionsFile,
      HOLDFAST_FAULTS: faultsFile,
      S3_DATA_DIR: join(stateDir, 's3'),
      ...(options.iam === true
        ? { AUTH: 'true', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
        : {}),
    },
  });
  const logTail = (lines = 40) =>
    readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(child, endpoint);
  } catch (error) {
    const tail = logTail();
    await stop();
    throw new Error(`${(error as Error).message}. Its log ends with:\n${tail}`);
  }
  return {
    endpoint,
    accountId: ourAccount,
    env: clientEnvironment(endpoint, options.iam === true ? 'test' : ourAccount),
    closedRegionsFile,
    faultsFile,
    ...(child.pid !== undefined && { processGroup: child.pid }),
    logTail,
    stop,
  };
}

function useGiven(endpoint: string): Emulator {
  const accountId = process.env['HOLDFAST_CLOUD_ACCOUNT'] ?? '000000000000';
  const keyId = process.env['AWS_ACCESS_KEY_ID'] ?? accountId;
  const env = clientEnvironment(endpoint, keyId, process.env['AWS_SECRET_ACCESS_KEY']);
  return { endpoint, accountId, env, logTail: () => '', stop: async () => {} };
}

const clientEnvironment = (endpoint: string, keyId: string, secret = 'test') => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: keyId,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_EC2_METADATA_DISABLED: 'true',
});

async function untilReady(child: ChildProcess, endpoint: string): Promise<void> {
  const begin = performance.now();
  while (performance.now() - begin < readyTimeoutMs) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The emulator ended at its start (${child.exitCode ?? child.signalCode})`);
    }
    const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error(`The emulator was not ready after ${readyTimeoutMs / 1000} s`);
}

async function end(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const ended =
    child.exitCode === null && child.signalCode === null
      ? new Promise((resolve) => child.once('exit', resolve))
      : Promise.resolve();
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  await ended;
}
