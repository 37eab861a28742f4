import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { InputOf } from '../../core/contract/payloads.ts';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { collect, fillShop, type Harness, makeHarness } from './harness.ts';

let harness: Harness;
let runId: string;
beforeEach(async () => {
  harness = await makeHarness('publishing');
  await fillShop(harness.database);
  runId = newRunId();
});
afterEach(() => harness[Symbol.asyncDispose]());

const full = () => new HoldfastError('VaultFullError', 'No space left for this object.');

/** Publish with a vault that refuses puts of keys that match, the first `times` times. */
async function publishRefusing(pattern: RegExp, times: number, input: InputOf<'Publish'>) {
  let left = times;
  const { vault } = harness.deps;
  const refusing = new Proxy(vault, {
    get: (target, name, receiver) => {
      const member = Reflect.get(target, name, receiver) as unknown;
      if (typeof member !== 'function') return member;
      if (name !== 'put') return member.bind(target);
      return async (key: string, ...rest: unknown[]) => {
        if (pattern.test(key) && left-- > 0) throw full();
        return member.call(target, key, ...rest);
      };
    },
  });
  const deps: Deps = { ...harness.deps, vault: refusing };
  return handlers.Publish(deps)(input);
}

const outcome = async () => {
  const entry = await harness.deps.workspace.get(`runs/${runId}/outcome.json`);
  return JSON.parse(Buffer.from(entry?.body ?? []).toString()) as Record<string, unknown>;
};
const evidence = async () => {
  const [{ key } = { key: '' }] = await collect(harness.deps.vault.list('evidence/shop/'));
  const backupId = key.split('/')[2];
  if (backupId === undefined) return [];
  const records = await collect(readAllEvidence(harness.deps, 'shop', backupId));
  return records.map(({ kind }) => kind);
};

describe('a vault that fills up while a backup is published', () => {
  it.each([
    ['at the evidence that it was verified', /verified\.json$/],
    ['at the catalogue entry', /^catalog\//],
  ])('%s leaves nothing listed, and no record that says "published"', async (_, pattern) => {
    const run = harness.runHere(
      (state, input, call) =>
        state === 'Publish' ? publishRefusing(pattern, 99, input as never) : call(),
      runId,
    );
    await expect(run).rejects.toMatchObject({ name: 'VaultFullError' });
    expect(await harness.catalogue()).toEqual([]);
    expect(await evidence()).not.toContain('published');
    expect(await outcome()).toMatchObject({ state: 'failed', error: 'VaultFullError' });
  });

  it('behind the catalogue entry leaves a backup that counts, and the outcome says so', async () => {
    const run = harness.runHere(
      (state, input, call) =>
        state === 'Publish' ? publishRefusing(/published\.json$/, 99, input as never) : call(),
      runId,
    );
    await expect(run).rejects.toMatchObject({
      name: 'VaultFullError',
      evidence: { troubles: [expect.stringContaining('is complete, verified and listed')] },
    });
    expect(await harness.catalogue()).toHaveLength(1);
    expect(await outcome()).toMatchObject({ state: 'published', error: 'VaultFullError' });
  });

  it('and has space again at the second attempt publishes once', async () => {
    await harness.runHere(async (state, input, call) => {
      if (state !== 'Publish') return call();
      for (const pattern of [/^catalog\//, /published\.json$/]) {
        await expect(publishRefusing(pattern, 1, input as never)).rejects.toThrow('No space');
      }
      return call();
    }, runId);
    expect(await harness.catalogue()).toHaveLength(1);
    expect(await evidence()).toEqual(['verified', 'published']);
  });
});

it('an entry of the catalogue that somebody else wrote is never taken for the own one', async () => {
  const run = harness.runHere(async (state, input, call) => {
    if (state !== 'Publish') return call();
    await publishRefusing(/^catalog\//, 1, input as never).catch(() => undefined);
    const [manifest] = (await collect(harness.deps.vault.list('backups/shop/'))).filter(({ key }) =>
      key.endsWith('manifest.json'),
    );
    const body = JSON.parse(
      Buffer.from(await harness.deps.vault.get(manifest?.key ?? '')).toString(),
    );
    const at = String(99_999_999_999_999 - Date.parse(body.snapshot.instant)).padStart(14, '0');
    await harness.deps.vault.put(
      `catalog/shop/${at}-${body.backupId}.json`,
      Buffer.from('{"rows":1}'),
    );
    return call();
  }, runId);
  await expect(run).rejects.toMatchObject({ name: 'PreconditionFailedError' });
});
