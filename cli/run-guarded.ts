/**
 * The command that is guarded, as it would run by itself: same terminal, same environment, same exit code.
 *
 * Invariant: Ctrl-C reaches the command (the terminal sends it to both) and never ends us in between: a command that was
 * interrupted midway is one that failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { HoldfastError } from '../core/contract/errors.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** As a shell tells of a command that was ended by a signal, that is not there, that may not be run. */
const signalBase = 128;
const notFound = 127;
const notRunnable = 126;

/**
 * @param isOutputOurs its output goes to stderr: stdout is for our one JSON document
 * @returns its exit code, 128 + n when signal n ended it
 */
export async function runGuarded(
  [program, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  isOutputOurs: boolean,
): Promise<{ exitCode: number; error?: HoldfastError }> {
  const child = spawn(program, args, {
    stdio: ['inherit', isOutputOurs ? 2 : 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const passOn = (signal: NodeJS.Signals) => {
    // At a terminal the command has it already; from `kill` it has not.
    if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, passOn);
  try {
    return await new Promise((resolve) => {
      child.once('error', (cause: NodeJS.ErrnoException) => {
        const isRefused = cause.code === 'EACCES';
        const isMissing = cause.code === 'ENOENT' || (isRefused && !isFound(program));
        const why = isMissing
          ? 'there is no such command'
          : isRefused
            ? 'it may not be run (EACCES)'
            : String(cause.code);
        const error = new HoldfastError('UsageError', `${program}: ${why}.`, {
          hint: 'Write it after --, as you would at the prompt; a shell line as: -- sh -c "…".',
          cause,
        });
        resolve({ exitCode: isMissing ? notFound : notRunnable, error });
      });
      child.once('close', (code, signal) => {
        const number = signal === null ? 0 : constants.signals[signal];
        resolve({ exitCode: code ?? signalBase + number });
      });
    });
  } finally {
    for (const signal of signals) process.removeListener(signal, passOn);
  }
}

/** The system says EACCES as well of a name that is nowhere, when a folder on PATH may not be searched. */
function isFound(program: string): boolean {
  if (program.includes('/')) return true;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder || '.', program)));
}
