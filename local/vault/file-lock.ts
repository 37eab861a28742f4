/**
 * A lock between processes by a file, for the read-compare-write of a few milliseconds.
 *
 * The lock is taken with link(2): it appears whole, with its owner in it, for one taker only. A lock whose owner is
 * dead (same host, no such process) or that is older than any critical section is stale and is moved aside by rename,
 * which one taker wins. Invariant: whoever was overtaken (frozen for long) notices before it writes.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../core/contract/errors.ts';
import { codeOf, removeIfThere, writeNewFile } from './files.ts';
import { lockPath, openFile, type Tree, temporaryPath } from './tree.ts';

/** A critical section reads and writes one small file: milliseconds. A thousand times that is no longer work. */
const staleAfterMs = 10_000;
/** Longer than a stale lock lives, so that waiting is enough. */
const giveUpAfterMs = 30_000;

/** @param action gets `assertHeld`, to be called right before the change is made visible */
export async function withFileLock<T>(
  tree: Tree,
  key: string,
  action: (assertHeld: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const lock = lockPath(tree, key);
  const claim = JSON.stringify({
    host: hostname(),
    pid: process.pid,
    token: randomBytes(12).toString('hex'),
  });
  const mine = await temporaryPath(tree);
  await writeNewFile(tree.files, mine, Buffer.from(claim));
  try {
    await acquire(tree, mine, lock, key);
  } finally {
    await removeIfThere(tree.files, mine);
  }
  try {
    return await action(async () => {
      if ((await readLock(tree, lock))?.claim !== claim) throw overtaken(key);
    });
  } finally {
    if ((await readLock(tree, lock))?.claim === claim) await removeIfThere(tree.files, lock);
  }
}

async function acquire(tree: Tree, mine: string, lock: string, key: string): Promise<void> {
  const begin = performance.now();
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    try {
      await tree.files.link(mine, lock);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const held = await readLock(tree, lock);
    if (held !== undefined && isStale(held)) {
      await moveAside(tree, lock, held.claim);
      continue;
    }
    if (performance.now() - begin > giveUpAfterMs) {
      throw new HoldfastError(
        'VaultIoError',
        `Waited ${giveUpAfterMs / 1000} s for the lock of ${key} (${lock}).`,
        {
          hint: 'Another process writes the same thing all the time, or the clock of the disk is wrong.',
        },
      );
    }
    // Randomised, so that waiters do not come in step.
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

interface HeldLock {
  readonly claim: string;
  readonly ageMs: number;
}

async function readLock(tree: Tree, lock: string): Promise<HeldLock | undefined> {
  const file = await openFile(tree, lock);
  if (file === undefined) return undefined;
  try {
    return { claim: await file.handle.readFile('utf8'), ageMs: Date.now() - file.stats.ctimeMs };
  } finally {
    await file.handle.close();
  }
}

function isStale(held: HeldLock): boolean {
  if (held.ageMs > staleAfterMs) return true;
  const owner = JSON.parse(held.claim) as { host: string; pid: number };
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

async function moveAside(tree: Tree, lock: string, staleClaim: string): Promise<void> {
  const aside = await temporaryPath(tree);
  try {
    await tree.files.rename(lock, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Between our look and our rename somebody else may have replaced the stale lock by a live one: give it back.
  if ((await readLock(tree, aside))?.claim !== staleClaim) {
    await tree.files.link(aside, lock).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
  await removeIfThere(tree.files, aside);
}

const overtaken = (key: string) =>
  new HoldfastError(
    'PreconditionFailedError',
    `The lock of ${key} was taken over: this process stood still for more than ${staleAfterMs / 1000} s.`,
  );
