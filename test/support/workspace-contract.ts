/** What every adapter of `Workspace` must do: only the port is used here. */
import { describe, expect, it } from 'vitest';
import type { Workspace } from '../../core/vault/vault.ts';
import { badKeys } from './bad-keys.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);
const named = (name: string) => expect.objectContaining({ name });

export function workspaceContract(name: string, makeWorkspace: () => Promise<Workspace>): void {
  describe(`${name} keeps the contract of a workspace`, () => {
    it('gives back the newest document and says undefined when there is none', async () => {
      const workspace = await makeWorkspace();
      expect(await workspace.get('runs/r/run.json')).toBeUndefined();
      await workspace.put('runs/r/run.json', bytes('one'));
      const { etag } = await workspace.put('runs/r/run.json', bytes('two'));
      const entry = await workspace.get('runs/r/run.json');
      expect(text(entry?.body ?? bytes(''))).toBe('two');
      expect(entry?.etag).toBe(etag);
    });

    it('creates once with If-None-Match, whoever tries', async () => {
      const workspace = await makeWorkspace();
      const tries = Array.from({ length: 12 }, (_, i) =>
        workspace.put('leases/s.json', bytes(`owner ${i}`), { ifNoneMatch: '*' }),
      );
      const results = await Promise.allSettled(tries);
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect((await workspace.get('leases/s.json'))?.etag).toBe(won[0]?.value.etag);
    });

    it('swaps once per etag, whoever tries', async () => {
      const workspace = await makeWorkspace();
      const { etag } = await workspace.put('leases/s.json', bytes('first'));
      const tries = Array.from({ length: 12 }, (_, i) =>
        workspace.put('leases/s.json', bytes(`next ${i}`), { ifMatch: etag }),
      );
      const results = await Promise.allSettled(tries);
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect((await workspace.get('leases/s.json'))?.etag).toBe(won[0]?.value.etag);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect(result.reason).toEqual(named('PreconditionFailedError'));
        }
      }
    });

    it('does not swap what is gone or another', async () => {
      const workspace = await makeWorkspace();
      const failed = named('PreconditionFailedError');
      await expect(workspace.put('k', bytes('x'), { ifMatch: 'etag' })).rejects.toEqual(failed);
      const { etag } = await workspace.put('k', bytes('x'));
      await workspace.put('k', bytes('y'));
      await expect(workspace.put('k', bytes('z'), { ifMatch: etag })).rejects.toEqual(failed);
      await expect(workspace.delete('k', { ifMatch: etag })).rejects.toEqual(failed);
      expect(text((await workspace.get('k'))?.body ?? bytes(''))).toBe('y');
    });

    it('deletes, with and without a condition, and again without an error', async () => {
      const workspace = await makeWorkspace();
      const { etag } = await workspace.put('k', bytes('x'));
      await workspace.delete('k', { ifMatch: etag });
      expect(await workspace.get('k')).toBeUndefined();
      await workspace.delete('k', { ifMatch: etag });
      await workspace.delete('k');
    });

    it('lists the keys of a prefix in order', async () => {
      const workspace = await makeWorkspace();
      for (const key of ['runs/b/2', 'runs/a/2', 'runs/a/1', 'claims/x']) {
        await workspace.put(key, bytes(key));
      }
      const keys: string[] = [];
      for await (const key of workspace.list('runs/')) keys.push(key);
      expect(keys).toEqual(['runs/a/1', 'runs/a/2', 'runs/b/2']);
    });

    it.each(badKeys.map((key) => [JSON.stringify(key), key]))(
      'refuses the key %s',
      async (_, key) => {
        const workspace = await makeWorkspace();
        const refused = named('InvalidObjectKeyError');
        await expect(workspace.put(key, bytes('x'))).rejects.toEqual(refused);
        await expect(workspace.put(key, bytes('x'), { ifNoneMatch: '*' })).rejects.toEqual(refused);
        await expect(workspace.get(key)).rejects.toEqual(refused);
        await expect(workspace.delete(key)).rejects.toEqual(refused);
      },
    );
  });
}
