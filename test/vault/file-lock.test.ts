import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';
import { realFiles } from '../../local/vault/files.ts';
import { lockPath, makeTree } from '../../local/vault/tree.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const bytes = (text: string) => new TextEncoder().encode(text);
const program = new URL('./count-with-swaps.ts', import.meta.url);
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that adds 1 to a counter so many times, each by compare and swap. */
async function counting(root: string, times: number): Promise<number> {
  const child = fork(program, [root, String(times)]);
  children.push(child);
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

const counterOf = async (root: string) =>
  Number(Buffer.from((await openDirectoryWorkspace(root).get('counter'))?.body ?? []).toString());

it('loses no swap between processes', async () => {
  const root = await folder();
  await openDirectoryWorkspace(root).put('counter', bytes('0'));
  const codes = await Promise.all([1, 2, 3, 4].map(() => counting(root, 50)));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(await counterOf(root)).toBe(200);
  expect(await readdir(join(root, '.tmp'))).toEqual([]);
});

async function leaveLock(root: string, claim: object): Promise<string> {
  const lock = lockPath(makeTree(root, realFiles), 'counter');
  await mkdir(join(root, '.tmp'), { recursive: true });
  await writeFile(lock, JSON.stringify({ host: hostname(), pid: 1, token: 'left', ...claim }));
  return lock;
}

/** The age of a lock is the time of its last change of status; setting its times is one. */
const makeYoung = (lock: string) => utimes(lock, new Date(0), new Date(0));

it('takes over the lock of a process that is dead, also when many want it', async () => {
  const root = await folder();
  await openDirectoryWorkspace(root).put('counter', bytes('0'));
  const dead = fork(program, [root, '0']);
  await once(dead, 'exit');
  const lock = await leaveLock(root, { pid: dead.pid });
  // By the owner's death, not by the lock's age: it stays young.
  const youth = setInterval(() => void makeYoung(lock).catch(() => undefined), 200);
  const codes = await Promise.all([1, 2, 3].map(() => counting(root, 20)));
  clearInterval(youth);
  expect(codes).toEqual([0, 0, 0]);
  expect(await counterOf(root)).toBe(60);
});

it('waits for a lock whose owner lives, here or on another host', async () => {
  const root = await folder();
  const workspace = openDirectoryWorkspace(root);
  await workspace.put('counter', bytes('0'));
  for (const claim of [{ pid: process.pid }, { host: 'elsewhere', pid: 1 << 22 }]) {
    const lock = await leaveLock(root, claim);
    await makeYoung(lock);
    let isDone = false;
    const waiting = workspace.put('counter', bytes('1')).then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isDone).toBe(false);
    await realFiles.unlink(lock);
    await waiting;
  }
});
