/**
 * Worker processes that have done their run and wait a moment for the next one of this process, as a function of Lambda
 * stays warm: a new one costs half a second of CPU time until its code is loaded and compiled.
 *
 * Invariants: only one whose every call went well waits here, and it is given to nobody whose environment is another; none
 * outlives this process (worker.ts), and none keeps it from ending.
 */
import type { WorkerProcess } from './worker-process.ts';

/** Between two runs of one program; what comes later starts as the first one did. */
const idleMs = 10_000;
/** Each holds 60 to 200 MB. */
const idleAtMost = 4;

const waiting = new Map<WorkerProcess, NodeJS.Timeout>();

/** @returns false when it is not worth keeping: the caller ends it */
export function keepForNextRun(worker: WorkerProcess): boolean {
  if (!worker.isReusable || waiting.size >= idleAtMost) return false;
  const timer = setTimeout(() => {
    waiting.delete(worker);
    void worker.end();
  }, idleMs);
  timer.unref();
  worker.unref();
  waiting.set(worker, timer);
  return true;
}

export function takeWaiting(environment: string): WorkerProcess | undefined {
  for (const [worker, timer] of waiting) {
    if (worker.environment !== environment) continue;
    waiting.delete(worker);
    clearTimeout(timer);
    if (!worker.isReusable) continue;
    worker.ref();
    return worker;
  }
  return undefined;
}

/** For a program that is about to end: resolves when all are gone. */
export async function endWaiting(): Promise<void> {
  const workers = [...waiting.keys()];
  for (const timer of waiting.values()) clearTimeout(timer);
  waiting.clear();
  await Promise.all(workers.map((worker) => worker.end()));
}
