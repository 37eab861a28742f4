/**
 * Runs a shell command of the user's (a check, a hook).
 *
 * Invariants: it gets the environment it is given and what a shell needs (PATH, HOME …), nothing else of ours; what it
 * prints is cut at 64 KB and leaves with secrets masked; a command that does not end is ended with all it started.
 */
import { spawn } from 'node:child_process';
import { maskSecrets } from '../../core/mask-secrets.ts';

const keptBytes = 64 << 10;
/** Before the state itself is stopped (900 s) and its process is ended (890 s). */
const defaultLimitMs = 800_000;

const passedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SystemRoot|ComSpec)$/;

/** As a shell says of a command that was ended by SIGKILL. */
const exitCodeOfKilled = 137;

export async function runCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
  limitMs: number = defaultLimitMs,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const ours = Object.entries(process.env).filter(([name]) => passedOn.test(name));
  const isWindows = process.platform === 'win32';
  const child = spawn(command, {
    shell: true,
    env: { ...Object.fromEntries(ours), ...environment },
    // A group of its own: it is ended as a whole, and Ctrl-C at the terminal is ours to answer.
    detached: !isWindows,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  const keep = (chunk: Buffer) => {
    // The rest is read and thrown away, so that the command does not wait for a reader.
    if (bytes < keptBytes) chunks.push(chunk.subarray(0, keptBytes - bytes));
    bytes += chunk.length;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child.pid, isWindows);
  }, limitMs);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? exitCodeOfKilled));
    });
    const text = Buffer.concat(chunks).toString();
    const note = isLate ? `\n(ended after ${limitMs / 1000} s)` : '';
    return { exitCode, output: masked(text, environment) + note };
  } finally {
    clearTimeout(timer);
  }
}

function killGroup(pid: number | undefined, isWindows: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(isWindows ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** By the shape of secrets, and by the very ones that it was given. */
function masked(text: string, environment: Readonly<Record<string, string>>): string {
  const secrets = [environment.DATABASE_URL, environment.PGPASSWORD].filter(
    (secret): secret is string => secret !== undefined && secret !== '',
  );
  return maskSecrets(secrets.reduce((rest, secret) => rest.replaceAll(secret, '****'), text));
}
