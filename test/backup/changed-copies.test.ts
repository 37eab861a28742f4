import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { Vault } from '../../core/vault/vault.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { type KeptVault, keptVault, prove, replicate, type Sealed } from './kept-vault.ts';

const folder = temporaryFolders();

let world: KeptVault;
let first: Sealed;
let second: Sealed;
let third: Sealed;
let root: string;
let told: string[];

/**
 * The third of three backups is published: the second, the newest before, is released; the first, which a drill has
 * proven meanwhile, is held again. The replica has all objects, and of the first two the tags and holds of before.
 */
beforeEach(async () => {
  world = await keptVault(await folder(), { minKeep: 1 });
  told = [];
  const home = await folder();
  root = join(home, 'replica');
  const replica = { vault: openDirectoryVault(root), keyRing: world.sample.keyRing };
  const progress: Deps['progress'] = ({ state, message }) => {
    if (state === 'RecordReplica') told.push(String(message));
  };
  world = { ...world, deps: { ...world.deps, replica, progress } };
  first = await world.sealed('2026-11-21T03:00:00Z');
  await world.publish(first, world.deps);
  second = await world.sealed('2026-11-22T03:00:00Z');
  await world.publish(second, world.deps);
  await prove(world, first.backupId);
  third = await world.sealed('2026-11-23T03:00:00Z');
  await world.publish(third, world.deps);
  await replicate(world, home);
  await setAll(replica.vault, first, 'yearly', false);
  await setAll(replica.vault, second, 'held', true);
});

/** Its objects and the entry that lists it. */
async function keysAt(vault: Vault, { backupId }: Sealed): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of [`backups/shop/${backupId}/`, 'catalog/shop/']) {
    for await (const { key } of vault.list(prefix)) if (key.includes(backupId)) keys.push(key);
  }
  return keys;
}

async function setAll(vault: Vault, run: Sealed, tier: string, isHeld: boolean): Promise<void> {
  for (const key of await keysAt(vault, run)) {
    await vault.setTags(key, { 'holdfast-tier': tier });
    await vault.setLegalHold(key, isHeld);
  }
}

async function seenAt(vault: Vault, run: Sealed): Promise<string[]> {
  const keys = await keysAt(vault, run);
  expect(keys.length).toBeGreaterThan(run.manifest.objects.length);
  const heads = await Promise.all(keys.map((key) => vault.head(key)));
  return [...new Set(heads.map((it) => `${it.tags['holdfast-tier']} ${it.hasLegalHold}`))];
}

async function record(): Promise<unknown> {
  for (const object of third.manifest.objects.keys()) {
    await handlers.ReplicateUnit(world.deps)({ runId: third.runId, object });
  }
  return handlers.RecordReplica(world.deps)({ runId: third.runId });
}

it('what a run holds and releases of older backups is held and released at the replica', async () => {
  const replica = openDirectoryVault(root);
  expect(await seenAt(world.deps.vault, first)).toEqual(['held true']);
  expect(await seenAt(world.deps.vault, second)).toEqual(['daily false']);
  expect(await record()).toMatchObject({ replica: 'replicated' });
  expect(await seenAt(replica, first)).toEqual(['held true']);
  expect(await seenAt(replica, second)).toEqual(['daily false']);
  expect(told).toEqual([]);
});

it('a missing copy of an older backup is told, and the rest of it and this run are done', async () => {
  const [{ key } = { key: '' }] = first.manifest.objects;
  await rm(join(root, key));
  expect(await record()).toMatchObject({ replica: 'replicated' });
  expect(told).toEqual([
    expect.stringMatching(
      new RegExp(
        `^1 of \\d+ objects of the older backup ${first.backupId} are not .*; first: ${key}$`,
      ),
    ),
  ]);
  expect(await seenAt(openDirectoryVault(root), first)).toEqual(['held true']);
});
