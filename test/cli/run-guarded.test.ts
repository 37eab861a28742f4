/** Exit codes and messages of a command that cannot be started, as a shell gives them. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGuarded } from '../../cli/run-guarded.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
const nobody = 65_534;

/** A folder that may not be searched first, then one with a file that may not be run. */
async function pathOfOurs(): Promise<string> {
  const folder = await folders();
  const [closed, open] = [join(folder, 'closed'), join(folder, 'open')];
  await mkdir(closed);
  await mkdir(open);
  await writeFile(join(open, 'not-runnable'), '', { mode: 0o644 });
  await chmod(folder, 0o755);
  await chmod(closed, 0);
  return `${closed}:${open}`;
}

/** As an ordinary user: root may search every folder. */
async function start(program: string, path: string) {
  const before = process.env.PATH;
  const isRoot = process.geteuid?.() === 0;
  process.env.PATH = path;
  if (isRoot) process.seteuid?.(nobody);
  try {
    return await runGuarded([program], {}, false);
  } finally {
    if (isRoot) process.seteuid?.(0);
    process.env.PATH = before;
  }
}

test('a name that is nowhere is not found, also where a folder on PATH may not be searched', async () => {
  const { exitCode, error } = await start('no-such-command-anywhere', await pathOfOurs());
  expect([exitCode, error?.message]).toEqual([
    127,
    'no-such-command-anywhere: there is no such command.',
  ]);
});

test('a file that may not be run is told as that', async () => {
  const { exitCode, error } = await start('not-runnable', await pathOfOurs());
  expect([exitCode, error?.message]).toEqual([126, 'not-runnable: it may not be run (EACCES).']);
});
