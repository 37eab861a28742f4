import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { fillShop, type Harness, makeHarness } from './harness.ts';
import { sourceParameter } from './kept-vault.ts';

const folder = temporaryFolders();
let harness: Harness;
let deps: Deps;
let root: string;
beforeEach(async () => {
  harness = await makeHarness('replicated');
  await fillShop(harness.database);
  root = join(await folder(), 'replica');
  const replica = { vault: openDirectoryVault(root), keyRing: harness.deps.keyRing };
  deps = { ...harness.deps, replica, sourceOf: async () => sourceParameter({ jobs: 2 }) };
});
afterEach(() => harness[Symbol.asyncDispose]());

/** The whole state machine; the replica gets everything, all at once, when it was asked this many times. */
const runWith = (asked: number) => {
  let left = asked;
  let arrived: Promise<void> | undefined;
  const arrive = async () => {
    await cp(harness.vaultDirectory, `${root}-coming`, { recursive: true });
    await rename(`${root}-coming`, root);
  };
  return harness.runHere(async (state, input) => {
    if (state === 'ReplicateUnit') {
      left -= 1;
      if (left === 0) arrived = arrive();
      await arrived;
    }
    return handlers[state](deps)(input);
  });
};

it('a backup whose replica comes late is published, then replicated', async () => {
  expect(await runWith(4)).toMatchObject({
    ...{ state: 'published', tier: 'manual', replica: 'replicated', warnings: [] },
    phases: { ReplicateUnit: expect.any(Number), RecordReplica: expect.any(Number) },
  });
});

it('a backup whose replica never comes is published all the same', async () => {
  expect(await runWith(Number.POSITIVE_INFINITY)).toMatchObject({
    ...{ state: 'published', replica: 'behind', warnings: [{ code: 'replica-behind' }] },
  });
  expect(await harness.catalogue()).toHaveLength(1);
});
