/**
 * A machine of twice the cores, each half as fast: no thread that a bench has started gets more than half of a core.
 * What a dump of two jobs and the server beside it share on two cores, they have for themselves on four.
 *
 * Linux with the cpu controller of cgroup v1, as root. A process of its own, until the bench that started it has gone.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const controller = '/sys/fs/cgroup/cpu';
const base = join(controller, `holdfast-bench-${process.pid}`);
/** Microseconds: short, so that a thread never waits long for its next turn. */
const period = 10_000;
const lookEveryMs = 20;

const placed = new Set<string>();
const parents = new Map<string, string>();

function look(): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const known = new Set(pids);
  // Numbers are given again.
  for (const pid of parents.keys()) if (!known.has(pid)) parents.delete(pid);
  const alive = new Set(pids.filter(isOfTheBench).flatMap(placeThreads));
  for (const thread of placed) {
    if (alive.has(thread)) continue;
    placed.delete(thread);
    unlessGone(() => rmdirSync(join(base, thread)));
  }
}

function isOfTheBench(pid: string): boolean {
  for (let at = pid; at !== '0'; at = parentOf(at)) {
    if (at === String(process.pid)) return false;
    if (at === String(process.ppid)) return true;
  }
  return false;
}

function parentOf(pid: string): string {
  const known = parents.get(pid);
  if (known !== undefined) return known;
  const status = unlessGone(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1] ?? '0';
  parents.set(pid, parent);
  return parent;
}

function placeThreads(pid: string): string[] {
  const threads = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  for (const thread of threads) {
    if (!placed.has(thread)) unlessGone(() => place(thread));
  }
  return threads;
}

function place(thread: string): void {
  const folder = halved(thread);
  placed.add(thread);
  writeFileSync(join(folder, 'tasks'), thread);
}

function halved(name: string): string {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cpu.cfs_period_us'), String(period));
  writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(period / 2));
  return folder;
}

/** Processes and threads end at any time. */
function unlessGone<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

// What cannot be done at all is an error here, before it would be taken for a thread that has ended.
rmdirSync(halved('trial'));
const timer = setInterval(look, lookEveryMs);
// Ctrl-C is the bench's to answer.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.once('disconnect', () => {
  clearInterval(timer);
  for (const thread of placed) {
    unlessGone(() => writeFileSync(join(controller, 'tasks'), thread));
    unlessGone(() => rmdirSync(join(base, thread)));
  }
  unlessGone(() => rmdirSync(base));
});
process.send?.('ready');
