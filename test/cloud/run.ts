/**
 * `npm run test:cloud`: the projects of vitest.cloud.config.ts in processes side by side, and the files of `deployed` as
 * three of them, each with an emulator and a deployment of its own. Within one of them a file follows the other; most of
 * the time it waits, and the others have the processors. On an emulator that runs already (AWS_ENDPOINT_URL) they are one
 * after the other: there is one of each thing.
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
const parts: Readonly<Record<string, readonly string[]>> = {
  failures: ['--project', 'deployed', ...pathsOf(failures)],
  operation: ['--project', 'deployed', ...pathsOf(operation)],
  deployed: [
    ...['--project', 'deployed'],
    ...pathsOf([...failures, ...operation]).map((path) => `--exclude=${path}`),
  ],
  iam: ['--project', 'iam'],
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
  return new Promise<{ isGood: boolean; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ isGood: code === 0, output: Buffer.concat(chunks).toString() }),
    );
  });
}

const args = process.argv.slice(2);
if (args.length > 0) {
  process.exitCode = (await vitest(args, 'inherit')).isGood ? 0 : 1;
} else {
  const begin = performance.now();
  const failed: string[] = [];
  const run = async ([part, its]: [string, readonly string[]]) => {
    const { isGood, output } = await vitest(its, 'pipe');
    const seconds = Math.round((performance.now() - begin) / 1000);
    // Whole, so that the lines of two do not mingle.
    console.log(`\n##### ${part}: ${isGood ? 'passed' : 'FAILED'} after ${seconds} s\n${output}`);
    if (!isGood) failed.push(part);
  };
  const all = Object.entries(parts);
  if (isOurs) await Promise.all(all.map(run));
  else for (const part of all) await run(part);
  console.log(failed.length === 0 ? 'All of it passed.' : `Failed: ${failed.join(', ')}.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
