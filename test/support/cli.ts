/** Runs the real `holdfast`, as a process of its own, with an environment of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const entry = join(process.env['HOLDFAST_TEST_PROGRAM'] ?? '', 'holdfast.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON: fails unless it is exactly one document. */
  json<T = Record<string, unknown>>(): T;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Before the entry file, for Node itself. */
  readonly nodeFlags?: readonly string[];
  /** A program with arguments of its own that starts Node in its place. */
  readonly startedBy?: readonly string[];
  /** In a process group of its own, so that a signal can be sent as a terminal does: to all of it. */
  readonly isGroup?: boolean;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves when stderr has matched; rejects when the process ends before. */
  sawOnStderr(pattern: RegExp): Promise<void>;
}

export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const node = [process.execPath, ...(options.nodeFlags ?? []), entry, ...args];
  const [program = process.execPath, ...rest] = [...(options.startedBy ?? []), ...node];
  const child = spawn(program, rest, {
    cwd: options.cwd ?? import.meta.dirname,
    env: { ...ownEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.isGroup === true,
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const look of watchers) look();
  });
  const result = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T });
    });
  });
  return {
    child,
    result,
    sawOnStderr: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(stderr)) resolve();
        };
        watchers.add(look);
        look();
        void result.then(() => reject(new Error(`${pattern} never came on stderr:\n${stderr}`)));
      }),
  };
}

export const holdfast = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  startCli(args, options).result;

/** Nothing of the person who runs the tests: no database, no vault, no key, no settings, no terminal. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string) =>
    /^(PG|HOLDFAST_|(RESTORE_)?DATABASE_URL$|XDG_|NODE_OPTIONS$|VITEST)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}
