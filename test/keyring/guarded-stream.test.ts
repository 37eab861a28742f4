import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();

test('an encryption stream that is destroyed at any moment ends nothing but itself', async () => {
  const { keyRing } = await sampleVault(await folder());
  const uncaught: unknown[] = [];
  const own = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
  try {
    // -1: before the key is there.
    for (const delayMs of [-1, 0, 20]) {
      for (const error of [undefined, new Error('the vault is full')]) {
        for (const bytes of [0, 100, 3 << 20]) {
          const context = {
            vault: 'v',
            source: 's',
            backup: 'b',
            object: `${delayMs}${error}${bytes}`,
          };
          const stream = keyRing.encryptObject(context, 1 << 30).openSegment();
          stream.on('error', () => {});
          if (bytes > 0) stream.write(Buffer.alloc(bytes));
          if (delayMs >= 0) await sleep(delayMs);
          const closed = once(stream, 'close').catch(() => {});
          stream.destroy(error);
          await closed;
        }
      }
    }
    await sleep(50);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of own) process.on('uncaughtException', listener);
  }
  expect(uncaught).toEqual([]);
});
