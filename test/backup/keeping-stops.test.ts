import { expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { writeEvidence } from '../../core/evidence/record.ts';
import { releaseLease } from '../../core/run/lease.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import {
  by,
  copyOf,
  type KeptState,
  type KeptVault,
  keptVault,
  prove,
  type Sealed,
} from './kept-vault.ts';

const folder = temporaryFolders();
const policy = { minKeep: 1 };
const changing = ['put', 'setTags', 'setRetainUntil', 'setLegalHold'];

/** The vault and the workspace, of which the nth change and all later ones fail, before they are made or after. */
function stopping(deps: Deps, nth: number, when: 'before' | 'after') {
  let left = nth;
  const guard = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        if (!changing.includes(String(name))) return member.bind(target);
        return async (...given: unknown[]) => {
          left -= 1;
          const stops = new HoldfastError('VaultIoError', 'The process was killed here.');
          if (left < 0 || (left === 0 && when === 'before')) throw stops;
          const result: unknown = await member.apply(target, given);
          if (left === 0) throw stops;
          return result;
        };
      },
    });
  const stopped = { ...deps, vault: guard(deps.vault), workspace: guard(deps.workspace) };
  return { deps: stopped, hasStopped: () => left <= 0 };
}

async function endOf(world: KeptVault, all: readonly Sealed[]) {
  return Promise.all(all.map(({ backupId }) => world.state(backupId)));
}

it('a Publish that stops between any two steps is finished by the next attempt, as if it had not stopped', async () => {
  const base = await keptVault(await folder(), policy);
  const first = await base.sealed('2026-11-21T03:00:00Z');
  await base.publish(first);
  const second = await base.sealed('2026-11-23T03:00:00Z');
  const whole = await copyOf(base, await folder(), policy);
  await whole.publish(second);
  const expected = await endOf(whole, [first, second]);
  expect(expected.map(({ evidence }) => evidence)).toEqual([
    ['verified', 'promoted', 'published', 'held', 'released'],
    ['verified', 'promoted', 'published', 'held'],
  ]);
  let stops = 0;
  // Changes are tens; each stop is tried on a copy of its own, before and after the change, in turn.
  for (let nth = 1; ; nth += 1) {
    const world = await copyOf(base, await folder(), policy);
    const { deps, hasStopped } = stopping(world.deps, nth, nth % 2 === 0 ? 'before' : 'after');
    const outcome = await world.publish(second, deps).catch((error: unknown) => error);
    if (!hasStopped()) break;
    stops += 1;
    expect(outcome).toMatchObject({ name: 'VaultIoError' });
    // Also when only the answer was lost: the lease is free then.
    expect(await world.publish(second)).toMatchObject({ state: 'published', tier: 'weekly' });
    expect(await endOf(world, [first, second]), `stopped at change ${nth}`).toEqual(expected);
  }
  expect(stops).toBeGreaterThan(60);
}, 300_000);

it('a backup of which a part was released when Publish stopped is held as a whole when it is wanted again', async () => {
  const base = await keptVault(await folder(), policy);
  const proven = await base.sealed('2026-11-21T03:00:00Z');
  await base.publish(proven);
  await prove(base, proven.backupId);
  const newer = await base.sealed('2026-11-22T03:00:00Z');
  await base.publish(newer);
  await prove(base, newer.backupId);
  const third = await base.sealed('2026-11-23T03:00:00Z');
  const isPartly = ({ objects }: KeptState) => objects.some((one) => one.startsWith('yearly'));
  let parts = 0;
  for (let nth = 1; ; nth += 1) {
    const world = await copyOf(base, await folder(), policy);
    const { deps, hasStopped } = stopping(world.deps, nth, 'after');
    await world.publish(third, deps).catch(() => undefined);
    if (!hasStopped()) break;
    if (isPartly(await world.state(proven.backupId))) parts += 1;
    // What took its place is found damaged: the first is the newest proven one again, and another run must hold it.
    const what = { source: 'shop', by, manifestSha256: '0'.repeat(64), facts: {} } as const;
    await writeEvidence(world.deps, { ...what, kind: 'damaged', backupId: newer.backupId });
    await releaseLease(world.deps, 'shop', third.runId);
    const fourth = await world.sealed('2026-11-24T03:00:00Z');
    await world.publish(fourth);
    const { objects } = await world.state(proven.backupId);
    expect(objects, `stopped at change ${nth}`).toEqual([
      'entry held, held',
      expect.stringMatching(/^held, .*, held$/),
    ]);
  }
  expect(parts).toBeGreaterThan(2);
}, 300_000);
