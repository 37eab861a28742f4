import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupInputSchema, type Run } from '../../core/contract/plan.ts';
import { claimScheduledTime } from '../../core/run/claim.ts';
import { assertLease, releaseLease, renewLease, takeLease } from '../../core/run/lease.ts';
import type { Workspace } from '../../core/vault/vault.ts';
import { openDirectoryWorkspace } from '../../local/vault/directory-workspace.ts';

let folder: string;
let workspace: Workspace;
let time: number;
const deps = () => ({ workspace, now: () => new Date(time) });
const heldBy = { user: 'ann', host: 'db1' };
const take = (runId: string) =>
  takeLease(deps(), { source: 'shop', runId, leaseSeconds: 60, heldBy });
const runOf = (runId: string, fence: number) =>
  ({
    runId,
    fence,
    input: backupInputSchema.parse({
      source: 'shop',
      requestedBy: heldBy,
      options: { leaseSeconds: 60 },
    }),
  }) as Run;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-lease-'));
  workspace = openDirectoryWorkspace(folder);
  time = Date.parse('2026-11-21T04:00:00Z');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a lease', () => {
  it('is refused while another run holds it: who, since when, until when', async () => {
    await take('run-1');
    time += 10_000;
    await expect(take('run-2')).rejects.toMatchObject({
      name: 'LeaseHeldError',
      message: expect.stringMatching(/run-1, by ann on db1 since 2026-11-21T04:00:00.000Z/),
      hint: expect.stringMatching(/2026-11-21T04:01:00.000Z \(in 50 s\)/),
    });
  });

  it('goes to one of many that ask at once', async () => {
    const asked = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(take));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is free when it was not renewed in time, with a higher fencing number, and the old holder finds out', async () => {
    const first = await take('run-1');
    time += 60_000;
    const second = await take('run-2');
    expect(second.fence).toBe(first.fence + 1);
    await expect(assertLease(deps(), runOf('run-1', first.fence))).rejects.toMatchObject({
      name: 'LeaseHeldError',
    });
    await expect(renewLease(deps(), runOf('run-1', first.fence))).rejects.toMatchObject({
      name: 'LeaseHeldError',
    });
    await assertLease(deps(), runOf('run-2', second.fence));
  });

  it('is kept by renewing', async () => {
    const { fence } = await take('run-1');
    for (let i = 0; i < 5; i++) {
      time += 40_000;
      await renewLease(deps(), runOf('run-1', fence));
    }
    await expect(take('run-2')).rejects.toMatchObject({ name: 'LeaseHeldError' });
  });

  it('is taken again by the same run without another number', async () => {
    const first = await take('run-1');
    expect(await take('run-1')).toMatchObject({ fence: first.fence, since: first.since });
  });

  it('is free at once when it was released, and stays so though a worker renews late', async () => {
    const { fence } = await take('run-1');
    await releaseLease(deps(), 'shop', 'run-1');
    time += 50_000;
    await renewLease(deps(), runOf('run-1', fence));
    expect((await take('run-2')).fence).toBe(fence + 1);
  });

  it('is not released by another run', async () => {
    await take('run-1');
    await releaseLease(deps(), 'shop', 'run-2');
    await expect(take('run-2')).rejects.toMatchObject({ name: 'LeaseHeldError' });
  });
});

describe('a claim', () => {
  it('is the first one, however the time is spelled', async () => {
    const own = (runId: string) => ({
      runId,
      backupId: `b-${runId}`,
      claimedAt: new Date(time).toISOString(),
    });
    const first = await claimScheduledTime(deps(), 'shop', '2026-11-21T04:00:00Z', own('run-1'));
    expect(first.runId).toBe('run-1');
    const again = await claimScheduledTime(
      deps(),
      'shop',
      '2026-11-21T04:00:00.000Z',
      own('run-2'),
    );
    expect(again).toMatchObject({ runId: 'run-1', backupId: 'b-run-1' });
    const other = await claimScheduledTime(deps(), 'shop', '2026-11-21T05:00:00Z', own('run-2'));
    expect(other.runId).toBe('run-2');
  });
});
