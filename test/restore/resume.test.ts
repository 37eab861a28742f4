/** What PlanRestore does about earlier restores of the same target. The restores themselves are in kill.test.ts. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { markRestoreAborted } from '../../core/restore/abort-mark.ts';
import { createTarget } from '../../core/restore/create-target.ts';
import { duringRestore } from '../../core/restore/during-restore.ts';
import { planRestore } from '../../core/restore/plan-restore.ts';
import { readRestoreRun } from '../../core/restore/restore-run.ts';
import {
  releaseTargetLease,
  renewTargetLease,
  targetLeaseOf,
} from '../../core/restore/target-lease.ts';
import { failureOf } from '../../core/run/failure.ts';
import { readNamedLease } from '../../core/run/named-lease.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreRequest } from '../../local/engine/run-restore.ts';
import { requestedBy } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let deps: Deps;
let messages: string[] = [];
/** No lease runs out by itself, however slow the machine is: who waits for one puts the clock forward. */
const leaseSeconds = 60;
let aheadMs = 0;
const runOut = () => {
  aheadMs += leaseSeconds * 1000;
};
let onWaiting = runOut;
beforeAll(async () => {
  harness = await makeRestoreHarness('resume', async (database) => {
    await database.query('CREATE TABLE one AS SELECT 1 AS a');
  });
  deps = {
    ...harness.source.deps,
    now: () => new Date(Date.now() + aheadMs),
    connectionOf: async () => sharedSettings('postgres'),
    progress: ({ message = '' }) => {
      messages.push(message);
      if (message.includes('waiting for its lease')) onWaiting();
    },
  };
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** Everything that a test has begun ends with it. */
const begun: RestoreRun[] = [];
afterEach(async () => {
  messages = [];
  onWaiting = runOut;
  for (const run of begun.splice(0)) {
    await releaseTargetLease(deps, await readRestoreRun(deps.workspace, run.runId));
    await onServer('postgres', `DROP DATABASE IF EXISTS "${run.workDatabase}"`);
  }
});

async function plan(input: Partial<RestoreRequest> = {}, runId = newRunId()) {
  const request = restoreInputSchema.parse({
    ...{ target: 'here', requestedBy },
    ...input,
    options: { leaseSeconds, jobs: 2, ...input.options },
  });
  const output = await planRestore(deps, { runId, request });
  const run = await readRestoreRun(deps.workspace, output.runId);
  begun.push(run);
  return { output, run };
}

const outcomeOf = (runId: string) => harness.read(`restores/${runId}/outcome.json`);

describe('a restore that was killed', () => {
  it('is found by the same request once its lease has run out, with a higher fencing number', async () => {
    const first = await plan();
    const again = await plan({
      requestedBy: { user: 'other', host: 'there' },
      options: { jobs: 3 },
    });
    expect(again.output).toMatchObject({ runId: first.run.runId, jobs: 3 });
    expect(again.run).toEqual({ ...first.run, fence: first.run.fence + 1 });
    expect(messages.join()).toMatch(
      /waiting for its lease \(at most \d+ s\).*Going on with restore/,
    );
  });

  it('is the same one whatever it is measured against, which may be said anew', async () => {
    const first = await plan({ objectives: { rtoSeconds: 60, rpoSeconds: 600 } });
    await releaseTargetLease(deps, first.run);
    const again = await plan({ objectives: { rtoSeconds: 3_600 } });
    expect(again.run.runId).toBe(first.run.runId);
    expect(again.run.input.objectives).toEqual({ rtoSeconds: 3_600, rpoSeconds: 600 });
  });

  it('is found at once when its backup is named by its id instead of latest', async () => {
    const first = await plan();
    await releaseTargetLease(deps, first.run);
    const again = await plan({ choice: { backup: harness.backupId } });
    expect(again.run.runId).toBe(first.run.runId);
  });

  it('and has another request for the same target is taken back first: its database is not in the way', async () => {
    const first = await plan();
    await createTarget(deps, { runId: first.run.runId });
    expect(await harness.databases()).toContain(first.run.workDatabase);
    const other = await plan({ roles: { noOwner: true } });
    expect(other.run.runId).not.toBe(first.run.runId);
    expect(await outcomeOf(first.run.runId)).toMatchObject({ state: 'failed' });
    expect(await harness.databases()).not.toContain(first.run.workDatabase);
    expect(other.run.preflight.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
  });

  it('after it was aborted is taken back, and not gone on with', async () => {
    const first = await plan();
    await createTarget(deps, { runId: first.run.runId });
    await markRestoreAborted(deps, first.run.runId, failureOf(new Error('of old')));
    const next = await plan();
    expect(next.run.runId).not.toBe(first.run.runId);
    const outcome = await outcomeOf(first.run.runId);
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining('of old') } });
  });

  it('keeps the units that it was cut into, and takes no second safety backup', async () => {
    const name = harness.source.database.name;
    const request = { mode: 'swap' as const, database: name, disconnect: true };
    const first = await plan(request);
    expect(first.output.safety).toMatchObject({ source: 'shop', tier: 'safety' });
    await deps.workspace.put(
      `restores/${first.run.runId}/facts/safety.json`,
      Buffer.from('{"source":"shop","backupId":"b"}'),
    );
    const again = await plan(request);
    expect(again.output).toEqual({ ...first.output, safety: null });
  });
});

describe('a restore that lives', () => {
  it('is not disturbed: another one of the same target is refused as soon as it is seen to live', async () => {
    const first = await plan();
    // More than half of its time is over, and it renews it.
    onWaiting = () => {
      aheadMs += leaseSeconds * 600;
      void renewTargetLease(deps, first.run);
    };
    await expect(plan()).rejects.toMatchObject({
      name: 'LeaseHeldError',
      message: expect.stringContaining(`is running: ${first.run.runId}, by tester on here`),
    });
    expect(await outcomeOf(first.run.runId)).toBeUndefined();
  });

  it('keeps its lease while a state works for longer than that', async () => {
    const { run } = await plan({ options: { leaseSeconds: 1 } });
    const until = async () =>
      Date.parse((await readNamedLease(deps, targetLeaseOf(run)))?.lease.until ?? '');
    const atFirst = await until();
    await duringRestore(deps, run.runId, 'load', async () => {
      await expect.poll(until).toBeGreaterThan(atFirst + 1_500);
    });
    const again = await plan();
    expect(again.run).toMatchObject({ runId: run.runId, fence: run.fence + 1 });
  });

  it('finds out that its lease was taken over', async () => {
    const first = await plan();
    const again = await plan();
    expect(again.run.fence).toBe(first.run.fence + 1);
    await expect(renewTargetLease(deps, first.run)).rejects.toMatchObject({
      name: 'LeaseHeldError',
    });
  });

  it('into another database needs no lease of this one', async () => {
    const first = await plan();
    const other = await plan({ database: harness.ownDatabase('resume_other') });
    expect(other.run.runId).not.toBe(first.run.runId);
    expect(messages.join()).not.toContain('waiting');
  });
});

describe('the work of a state', () => {
  it('does not begin in a run that was aborted, and hears of it when that happens meanwhile', async () => {
    const { run } = await plan({ options: { leaseSeconds: 1 } });
    const work = duringRestore(deps, run.runId, 'load', async (_, signal) => {
      await markRestoreAborted(deps, run.runId, failureOf(new Error('stop')));
      await expect.poll(() => signal.aborted).toBe(true);
      signal.throwIfAborted();
    });
    await expect(work).rejects.toMatchObject({ name: 'RunAbortedError' });
    const next = duringRestore(deps, run.runId, 'load', async () => expect.unreachable());
    await expect(next).rejects.toMatchObject({
      name: 'RunAbortedError',
      message: expect.stringContaining('stop'),
    });
  });
});

describe('a second attempt of PlanRestore', () => {
  it('of the same execution gives what the first one gave', async () => {
    const runId = newRunId();
    const first = await plan({}, runId);
    expect((await plan({}, runId)).output).toEqual(first.output);
  });

  it('does not pass a preflight that has failed', async () => {
    const runId = newRunId();
    const failing = { database: 'postgres' };
    await expect(plan(failing, runId)).rejects.toMatchObject({ name: 'PreflightFailedError' });
    await expect(plan(failing, runId)).rejects.toMatchObject({ name: 'PreflightFailedError' });
  });
});
