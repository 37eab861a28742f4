/**
 * Runs a shell command of the user's (a check, a hook).
 *
 * Invariants: it gets the environment it is given and what a shell needs (PATH, HOME …), nothing else of ours; what it
 * prints is cut at 64 KB and leaves with secrets masked; a command that does not end, or whose run is interrupted, is
 * ended with all it started.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandOptions } from '../../core/contract/deps.ts';
import { maskSecrets } from '../../core/mask-secrets.ts';
import { type CommandTls, tlsFiles } from './command-tls.ts';
import { endGroup, keepTrackOf } from './process-group.ts';

const keptBytes = 64 << 10;
/** Before its process is ended (890 s) and the state itself is stopped (960 s). */
const defaultLimitMs = 840_000;
/** For what was printed at last, when something outside of the group keeps the pipe open. */
const drainMs = 1_000;

const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SystemRoot|ComSpec)$/;

export interface RunCommandOptions extends CommandOptions {
  /** Certificates for the connection that the environment describes. */
  readonly tls?: CommandTls;
}

/** @returns exit code; 128 and the signal's number, as a shell has it, when a signal ended it */
export async function runCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
  { timeoutMs = defaultLimitMs, signal, tls }: RunCommandOptions = {},
): Promise<{ readonly exitCode: number; readonly output: string }> {
  signal?.throwIfAborted();
  await using files = tls && (await tlsFiles(tls, environment.DATABASE_URL));
  const given = { ...environment, ...files?.environment };
  const ours = Object.entries(process.env).filter(([name]) => passedOn.test(name));
  const child = spawn(command, {
    shell: true,
    env: { ...Object.fromEntries(ours), ...given },
    // A group of its own: it is ended as a whole, and Ctrl-C at the terminal is ours to answer.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  using _ = keepTrackOf(child.pid);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: Buffer) => {
    // The rest is read and thrown away, so that the command does not wait for a reader.
    if (bytes < keptBytes) chunks.push(chunk.subarray(0, keptBytes - bytes));
    bytes += chunk.length;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let note = '';
  let ending: Promise<void> | undefined;
  const end = (why: string) => {
    note ||= `\n(${why})`;
    if (ending !== undefined) return;
    ending = endGroup(child.pid);
    void ending.then(async () => {
      await sleep(drainMs, undefined, { ref: false });
      child.stdout.destroy();
      child.stderr.destroy();
    });
  };
  const onAbort = () => end('ended: the run was interrupted');
  const timer = setTimeout(
    () => end(`ended after ${Math.round(timeoutMs / 100) / 10} s`),
    timeoutMs,
  );
  signal?.addEventListener('abort', onAbort);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => resolve(code ?? 128 + (by ? constants.signals[by] : 0)));
    });
    return { exitCode, output: masked(Buffer.concat(chunks).toString(), given) + note };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    // Its first process may have ended before the others of its group.
    await ending;
  }
}

/** By the shape of secrets, and by the very ones that it was given. */
function masked(text: string, environment: Readonly<Record<string, string>>): string {
  const secrets = [environment.DATABASE_URL, environment.PGPASSWORD].filter(
    (secret): secret is string => secret !== undefined && secret !== '',
  );
  return maskSecrets(secrets.reduce((rest, secret) => rest.replaceAll(secret, '****'), text));
}
