/**
 * What every adapter of `Vault` must do (and, re-exported, of `Workspace`). An adapter's test calls these with a maker
 * of empty ones.
 * Only the ports are used here: what is peculiar to an adapter is tested beside it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vault } from '../../core/vault/vault.ts';
import { badKeys } from './bad-keys.ts';

export { workspaceContract } from './workspace-contract.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex');
const keysOf = async (list: AsyncIterable<{ key: string }>) => {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
};
const named = (name: string) => expect.objectContaining({ name });

export function vaultContract(name: string, makeVault: () => Promise<Vault>): void {
  describe(`${name} keeps the contract of a vault`, () => {
    it('gives back what was written, whole and by range', async () => {
      const vault = await makeVault();
      const body = randomBytes(3 * (1 << 20) + 17);
      const writer = await vault.openWriter('a/b/one.hf', { tags: { tier: 'staged' } });
      for (let at = 0; at < body.length; at += 1 << 20) {
        await writer.write(body.subarray(at, at + (1 << 20)));
        expect(writer.sha256SoFar()).toBe(sha256(body.subarray(0, at + (1 << 20))));
      }
      const ref = await writer.commit();
      expect(ref).toMatchObject({
        key: 'a/b/one.hf',
        storedBytes: body.length,
        sha256: sha256(body),
      });
      expect(sha256(await vault.get('a/b/one.hf', ref.versionId))).toBe(ref.sha256);
      expect(sha256(await buffer(await vault.openReader('a/b/one.hf')))).toBe(ref.sha256);
      const range = { offset: (1 << 20) - 5, length: (1 << 20) + 10 };
      const part = await buffer(
        await vault.openReader('a/b/one.hf', { versionId: ref.versionId, range }),
      );
      expect(part.equals(body.subarray(range.offset, range.offset + range.length))).toBe(true);
      expect(await vault.head('a/b/one.hf')).toMatchObject({
        ...ref,
        tags: { tier: 'staged' },
        hasLegalHold: false,
      });
    });

    it('leaves the chunk to the writer after write has resolved', async () => {
      const vault = await makeVault();
      const writer = await vault.openWriter('k');
      const chunk = bytes('first');
      await writer.write(chunk);
      chunk.fill(0);
      const ref = await writer.commit();
      expect(text(await vault.get('k'))).toBe('first');
      expect(ref.sha256).toBe(sha256(bytes('first')));
    });

    it('shows nothing before commit and nothing after abort', async () => {
      const vault = await makeVault();
      const writer = await vault.openWriter('x/y');
      await writer.write(bytes('half'));
      expect(await keysOf(vault.list(''))).toEqual([]);
      await expect(vault.get('x/y')).rejects.toEqual(named('ObjectNotFoundError'));
      await writer.abort();
      await writer.abort();
      expect(await keysOf(vault.list(''))).toEqual([]);
      await expect(writer.commit()).rejects.toThrow();
      expect(await keysOf(vault.list(''))).toEqual([]);
    });

    it('takes an empty object and an empty range', async () => {
      const vault = await makeVault();
      const ref = await vault.put('empty', new Uint8Array());
      expect(ref).toMatchObject({ storedBytes: 0, sha256: sha256(new Uint8Array()) });
      expect((await buffer(await vault.openReader('empty'))).length).toBe(0);
      await vault.put('full', bytes('full'));
      const none = await vault.openReader('full', { range: { offset: 2, length: 0 } });
      expect((await buffer(none)).length).toBe(0);
    });

    it('never replaces an object', async () => {
      const vault = await makeVault();
      const ref = await vault.put('k', bytes('one'));
      await expect(vault.put('k', bytes('two'))).rejects.toEqual(named('PreconditionFailedError'));
      expect(text(await vault.get('k'))).toBe('one');
      expect(await vault.head('k')).toMatchObject(ref);
    });

    it('lets one of many writers of the same key win', async () => {
      const vault = await makeVault();
      const attempts = Array.from({ length: 12 }, (_, i) =>
        vault.put('race/k', bytes(`writer ${i}`)),
      );
      const results = await Promise.allSettled(attempts);
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect(sha256(await vault.get('race/k'))).toBe(won[0]?.value.sha256);
      for (const result of results) {
        if (result.status === 'rejected') {
          expect(result.reason).toEqual(named('PreconditionFailedError'));
        }
      }
    });

    it('says of what is not there that it is not there', async () => {
      const vault = await makeVault();
      await vault.put('a/b', bytes('x'));
      for (const key of ['nothing', 'a', 'a/b/c', 'a/c']) {
        await expect(vault.get(key)).rejects.toEqual(named('ObjectNotFoundError'));
        await expect(vault.openReader(key)).rejects.toEqual(named('ObjectNotFoundError'));
        await expect(vault.head(key)).rejects.toEqual(named('ObjectNotFoundError'));
        await expect(vault.setTags(key, {})).rejects.toEqual(named('ObjectNotFoundError'));
        await expect(vault.delete(key)).resolves.toBeUndefined();
      }
      await expect(vault.get('a/b', 'no-such-version')).rejects.toEqual(
        named('ObjectNotFoundError'),
      );
      expect(await keysOf(vault.list('nothing/'))).toEqual([]);
    });

    it('never ends a read well with fewer bytes than were asked for', async () => {
      const vault = await makeVault();
      await vault.put('k', bytes('0123456789'));
      const read = async (offset: number, length: number) =>
        buffer(await vault.openReader('k', { range: { offset, length } }));
      await expect(read(5, 6)).rejects.toEqual(named('ObjectTruncatedError'));
      await expect(read(50, 1)).rejects.toEqual(named('ObjectTruncatedError'));
      expect(text(await read(5, 5))).toBe('56789');
    });

    it('lists in the order of keys, by prefix, from a key on, up to a limit', async () => {
      const vault = await makeVault();
      const keys = [
        'a-b',
        'a.json',
        'a/1',
        'a/10',
        'a/2',
        'a/b/c',
        'a0',
        'b/1',
        'B/1',
        'é/1',
        '😀',
      ];
      for (const key of [...keys].reverse()) await vault.put(key, bytes(key));
      const sorted = [...keys].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      expect(await keysOf(vault.list(''))).toEqual(sorted);
      expect(await keysOf(vault.list('a/'))).toEqual(['a/1', 'a/10', 'a/2', 'a/b/c']);
      expect(await keysOf(vault.list('a/1'))).toEqual(['a/1', 'a/10']);
      expect(await keysOf(vault.list('a'))).toEqual(sorted.filter((key) => key.startsWith('a')));
      expect(await keysOf(vault.list('', { startAfter: 'a/10', limit: 3 }))).toEqual(
        sorted.slice(sorted.indexOf('a/10') + 1).slice(0, 3),
      );
      expect(await keysOf(vault.list('a/', { startAfter: 'a/b' }))).toEqual(['a/b/c']);
      expect(await keysOf(vault.list('', { limit: 0 }))).toEqual([]);
      for await (const listed of vault.list('b/')) {
        expect(listed).toMatchObject({ key: 'b/1', storedBytes: 3 });
        expect(Math.abs(Date.now() - listed.lastModified.getTime())).toBeLessThan(180_000);
      }
    });

    it('replaces tags and leaves the object as it is', async () => {
      const vault = await makeVault();
      const ref = await vault.put('k', bytes('x'), { tags: { a: '1', b: '2' } });
      await vault.setTags('k', { c: '3' });
      expect(await vault.head('k')).toMatchObject({ ...ref, tags: { c: '3' } });
      expect(Object.keys((await vault.head('k')).tags)).toEqual(['c']);
    });

    it('refuses to delete what is retained, and to shorten that time', async () => {
      const vault = await makeVault();
      await vault.put('k', bytes('x'));
      const until = new Date(Date.now() + 600_000);
      await vault.setRetainUntil('k', until);
      expect((await vault.head('k')).retainUntil).toEqual(until);
      await expect(vault.delete('k')).rejects.toEqual(named('ObjectLockedError'));
      await expect(vault.setRetainUntil('k', new Date(until.getTime() - 1))).rejects.toEqual(
        named('ObjectLockedError'),
      );
      await vault.setRetainUntil('k', new Date(until.getTime() + 1));
      expect(text(await vault.get('k'))).toBe('x');
    });

    it('refuses to delete what is under legal hold until that ends', async () => {
      const vault = await makeVault();
      await vault.put('k', bytes('x'), { tags: { kept: 'yes' } });
      await vault.setLegalHold('k', true);
      expect(await vault.head('k')).toMatchObject({ hasLegalHold: true, tags: { kept: 'yes' } });
      await expect(vault.delete('k')).rejects.toEqual(named('ObjectLockedError'));
      await vault.setLegalHold('k', false);
      await vault.delete('k');
      await expect(vault.head('k')).rejects.toEqual(named('ObjectNotFoundError'));
    });

    it('begins anew with a key that was deleted', async () => {
      const vault = await makeVault();
      await vault.put('k', bytes('old'), { tags: { old: 'yes' } });
      await vault.delete('k');
      await vault.put('k', bytes('new'));
      expect(await vault.head('k')).toMatchObject({ sha256: sha256(bytes('new')), tags: {} });
    });

    it('takes back no byte of a reader that is destroyed midway', async () => {
      const vault = await makeVault();
      await vault.put('k', randomBytes(4 << 20));
      const reader = await vault.openReader('k');
      for await (const _ of reader) break;
      expect(reader.destroyed).toBe(true);
      await vault.delete('k');
    });

    it.each(badKeys.map((key) => [JSON.stringify(key), key]))(
      'refuses the key %s',
      async (_, key) => {
        const vault = await makeVault();
        const refused = named('InvalidObjectKeyError');
        await expect(vault.openWriter(key)).rejects.toEqual(refused);
        await expect(vault.put(key, bytes('x'))).rejects.toEqual(refused);
        await expect(vault.get(key)).rejects.toEqual(refused);
        await expect(vault.openReader(key)).rejects.toEqual(refused);
        await expect(vault.head(key)).rejects.toEqual(refused);
        await expect(vault.delete(key)).rejects.toEqual(refused);
        expect(await keysOf(vault.list(''))).toEqual([]);
      },
    );

    it('keeps any two different keys apart (property)', async () => {
      const vault = await makeVault();
      let round = 0;
      const refusals = ['InvalidObjectKeyError', 'VaultIoError', 'PreconditionFailedError'];
      const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
      const pair = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 2,
        selector: (parts) => parts.join('/'),
      });
      await fc.assert(
        fc.asyncProperty(pair, async ([one, two]) => {
          round += 1;
          const write = async (parts: string[] = []) => {
            const key = [`round-${round}`, ...parts].join('/');
            try {
              await vault.put(key, bytes(key));
              return key;
            } catch (error) {
              // "a" and "a/b" need not live side by side, but then the second is refused.
              expect(refusals).toContain((error as Error).name);
              return undefined;
            }
          };
          const written = [await write(one), await write(two)].filter((key) => key !== undefined);
          for (const key of written) expect(text(await vault.get(key))).toBe(key);
          expect(new Set(await keysOf(vault.list(`round-${round}/`)))).toEqual(new Set(written));
        }),
        { numRuns: 60, examples: [[[['a'], ['a', 'b']]], [[['a', 'b'], ['a']]]] },
      );
    });
  });
}
