/**
 * `npm run test:cloud`: the projects of vitest.cloud.config.ts, the files of `deployed` as three parts, each with an emulator
 * and a deployment of its own; three of these five at once. Within one a file follows the other; when it waits, the others
 * have the processors. On an emulator that runs already (AWS_ENDPOINT_URL) they are one after the other: there is one of
 * each thing. What failed is run once more and alone, and both are told.
 *
 * With arguments they are vitest's, of one process: `npm run test:cloud -- --project iam`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { isOurs } from './own-emulator.ts';

const root = join(import.meta.dirname, '../..');

/** Of test/cloud/deployed; those that take long. What is in neither is a third part: no file can be forgotten. */
const failures = ['failures'];
const operation = ['alarms', 'cli'];

const pathsOf = (names: readonly string[]) =>
  names.map((name) => `test/cloud/deployed/${name}.test.ts`);
/** The longest first. */
const parts: Readonly<Record<string, readonly string[]>> = {
  deployed: [
    ...['--project', 'deployed'],
    ...pathsOf([...failures, ...operation]).map((path) => `--exclude=${path}`),
  ],
  failures: ['--project', 'deployed', ...pathsOf(failures)],
  iam: ['--project', 'iam'],
  operation: ['--project', 'deployed', ...pathsOf(operation)],
  adapters: ['--project', 'adapters'],
};

const children = new Set<ChildProcess>();
// Whoever ends us, ends them: each takes its emulator and its servers with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    process.exitCode = 1;
  });
}

/** @returns whether it ended well, and what it printed unless that went to our own output */
function vitest(args: readonly string[], stdio: 'inherit' | 'pipe') {
  const program = join(root, 'node_modules/vitest/vitest.mjs');
  const config = ['run', '--config', 'vitest.cloud.config.ts'];
  const child = spawn(process.execPath, [program, ...config, ...args], {
    ...{ cwd: root, stdio: ['ignore', stdio, stdio] },
  });
  children.add(child);
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  }
  return new Promise<{ end: string; isGood: boolean; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const end = code === 0 ? 'passed' : `FAILED (${signal ?? `exit code ${code}`})`;
      resolve({ end, isGood: code === 0, output: Buffer.concat(chunks).toString() });
    });
  });
}

const begin = performance.now();

/** Told whole, so that the lines of two do not mingle. */
async function tell(part: string, its: readonly string[], how = ''): Promise<boolean> {
  const { end, isGood, output } = await vitest(its, 'pipe');
  const seconds = Math.round((performance.now() - begin) / 1000);
  console.log(`\n##### ${part}${how}: ${end} after ${seconds} s\n${output}`);
  return isGood;
}

/** @returns those that failed */
async function runAll(atOnce: number): Promise<string[]> {
  const failed: string[] = [];
  const waiting = Object.entries(parts);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!(await tell(...next))) failed.push(next[0]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failed;
}

const args = process.argv.slice(2);
if (args.length > 0) {
  process.exitCode = (await vitest(args, 'inherit')).isGood ? 0 : 1;
} else {
  const failed = await runAll(isOurs ? 3 : 1);
  // The emulator and the machine's load are not what is tested: alone, and without load, it must pass. It stays told.
  const again: string[] = [];
  for (const part of failed) {
    if (!(await tell(part, parts[part] ?? [], ', once more and alone'))) again.push(part);
  }
  if (failed.length > 0) console.log(`Failed at first: ${failed.join(', ')}.`);
  console.log(again.length === 0 ? 'All of it passed.' : `Failed: ${again.join(', ')}.`);
  process.exitCode = again.length === 0 ? 0 : 1;
}
