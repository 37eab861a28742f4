/**
 * Ends a command with all that it has started: its process group, of which it is the first.
 *
 * Invariants: only groups of commands that we have started are told anything, and only while they are there; when this
 * process ends in order its groups are told to end too. Windows has no groups: there the command itself is ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** To clean up. */
const graceMs = 5_000;
const lookMs = 50;

const isWindows = process.platform === 'win32';
const living = new Set<number>();

process.once('exit', () => {
  for (const pid of living) tell(pid, 'SIGTERM');
});

/** From its start until it has ended. */
export function keepTrackOf(pid: number | undefined): Disposable {
  if (pid !== undefined) living.add(pid);
  return {
    [Symbol.dispose]: () => {
      if (pid !== undefined) living.delete(pid);
    },
  };
}

/** SIGTERM, and SIGKILL for what is left after 5 s. Resolves when nothing is left, or is left to the kernel. */
export async function endGroup(pid: number | undefined): Promise<void> {
  if (pid === undefined || !tell(pid, 'SIGTERM')) return;
  for (const deadline = Date.now() + graceMs; Date.now() < deadline; await sleep(lookMs)) {
    if (!tell(pid, 0)) return;
  }
  tell(pid, 'SIGKILL');
}

/** @returns is somebody there? */
function tell(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(isWindows ? pid : -pid, signal);
  } catch {
    return false;
  }
}
