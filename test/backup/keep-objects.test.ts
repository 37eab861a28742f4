import { expect, it } from 'vitest';
import { keep, keysOf } from '../../core/backup/keep-objects.ts';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { vaultKeys } from '../../core/vault/keys.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { keptVault } from './kept-vault.ts';

const folder = temporaryFolders();

it('a backup of more objects than one task can change is finished by the next, from where it came to; the manifest is last', async () => {
  const { deps } = await keptVault(await folder());
  const id = 'shop-20261121T030000Z-abcdef';
  const key = (n: number) => vaultKeys.data('shop', id, n, 0, 'aaaaaa');
  const objects = Array.from({ length: 1_200 }, (_, n) => ({ key: key(n) }));
  const manifest = { source: { name: 'shop' }, backupId: id, objects } as unknown as Manifest;
  for (const each of keysOf(manifest)) await deps.vault.put(each, Buffer.from('x'));
  const publication = { tier: 'daily', retainUntil: null } as const;
  const step = { runId: 'run-1', name: 'keep' };

  const tagged: string[] = [];
  const upTo = (most: number): Pick<Deps, 'vault' | 'workspace'> => ({
    workspace: deps.workspace,
    vault: new Proxy(deps.vault, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (name !== 'setTags') return typeof member === 'function' ? member.bind(target) : member;
        return async (each: string) => {
          if (tagged.length >= most) throw new HoldfastError('TaskTimedOutError', 'Out of time.');
          tagged.push(each);
        };
      },
    }),
  });
  await expect(keep(upTo(1_100), step, manifest, publication)).rejects.toMatchObject({
    name: 'TaskTimedOutError',
  });
  expect(tagged).not.toContain(vaultKeys.manifest('shop', id));
  await keep(upTo(Number.POSITIVE_INFINITY), step, manifest, publication);
  // The thousand that were written down are not touched again; those of the broken range are.
  expect(tagged.filter((each) => each === key(999))).toHaveLength(1);
  expect(tagged.filter((each) => each === key(1_000))).toHaveLength(2);
  expect(new Set(tagged).size).toBe(1_202);
  expect(tagged.at(-1)).toBe(vaultKeys.manifest('shop', id));
  const before = tagged.length;
  await keep(upTo(Number.POSITIVE_INFINITY), step, manifest, publication);
  expect(tagged).toHaveLength(before);
});
