/** "The same command again goes on": also of `latest` when there is a newer backup by then, and after a long while. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { createTarget } from '../../core/restore/create-target.ts';
import { noteSafetyBackup, readSafetyBackup } from '../../core/restore/note-safety-backup.ts';
import { recordRestoreSpan } from '../../core/restore/phases.ts';
import { planRestore } from '../../core/restore/plan-restore.ts';
import { readRestoreRun } from '../../core/restore/restore-run.ts';
import { releaseTargetLease, renewTargetLease } from '../../core/restore/target-lease.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreRequest } from '../../local/engine/run-restore.ts';
import { requestedBy } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let deps: Deps;
let messages: string[] = [];
/** What the clock of this test is ahead. */
let aheadMs = 0;
let onWaiting = () => {};
const minute = 60_000;
beforeAll(async () => {
  harness = await makeRestoreHarness('resume_latest', async (database) => {
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
}, 60_000);
afterAll(() => harness?.[Symbol.asyncDispose]());

const begun: RestoreRun[] = [];
afterEach(async () => {
  [messages, aheadMs, onWaiting] = [[], 0, () => {}];
  for (const run of begun.splice(0)) {
    await releaseTargetLease(deps, await readRestoreRun(deps.workspace, run.runId));
    await onServer('postgres', `DROP DATABASE IF EXISTS "${run.workDatabase}"`);
    // Ended, so that the next test does not go on with it.
    await put(run.runId, 'outcome.json', {});
  }
});

async function plan(input: Partial<RestoreRequest> = {}) {
  const request = restoreInputSchema.parse({
    ...{ target: 'here', requestedBy },
    ...input,
    options: { leaseSeconds: 1, jobs: 2, ...input.options },
  });
  const output = await planRestore(deps, { runId: newRunId(), request });
  const run = await readRestoreRun(deps.workspace, output.runId);
  begun.push(run);
  return { output, run };
}

const put = (runId: string, key: string, value: unknown) =>
  deps.workspace.put(`restores/${runId}/${key}`, Buffer.from(JSON.stringify(value)));
const newerBackup = async () => ((await harness.source.runHere()) as { backupId: string }).backupId;

describe('latest, with a newer backup than the one that the killed restore was of', () => {
  it.each([
    ['into a database without a name', () => ({})],
    ['with a name', () => ({ database: harness.ownDatabase('resume_latest_named') })],
    ['in the place of another', () => ({ mode: 'swap' as const, disconnect: true })],
  ])('%s: the killed one is gone on with, and it is said', async (_, requestOf) => {
    const first = await plan(requestOf());
    const newer = await newerBackup();
    const again = await plan(requestOf());
    expect(again.run).toEqual({ ...first.run, fence: first.run.fence + 1 });
    expect(again.output.backupId).not.toBe(newer);
    expect(messages).toContain(
      `Going on with restore ${first.run.runId} of backup ${first.run.backup.backupId}.`,
    );
  });

  it('is not held up by one that lives: it takes the newer backup', async () => {
    const options = { leaseSeconds: 60 };
    const first = await plan({ options });
    const newer = await newerBackup();
    // More than half of its lease is over, and it renews it.
    onWaiting = () => {
      aheadMs += 40_000;
      void renewTargetLease(deps, first.run);
    };
    expect((await plan({ options })).run.backup.backupId).toBe(newer);
  });

  it('is another request when a label, the target or the database is another, or a person was shown the newer', async () => {
    const first = await plan();
    const newer = await newerBackup();
    const others: Partial<RestoreRequest>[] = [
      { choice: { at: '2099-01-01T00:00:00Z' } },
      { target: 'there' },
      { roles: { noOwner: true } },
      { choice: { meant: newer } },
    ];
    for (const other of others) {
      const { run } = await plan(other);
      expect([run.runId === first.run.runId, run.backup.backupId]).toEqual([false, newer]);
      await releaseTargetLease(deps, run);
      await put(run.runId, 'outcome.json', {});
    }
    const shown = await plan({ choice: { meant: first.run.backup.backupId } });
    expect(shown.run.runId).toBe(first.run.runId);
  });

  it('is not gone on with a day later', async () => {
    const first = await plan();
    const newer = await newerBackup();
    aheadMs = 25 * 60 * minute;
    const next = await plan();
    expect([next.run.runId === first.run.runId, next.run.backup.backupId]).toEqual([false, newer]);
  });
});

describe('a swap that was killed after its safety backup and its checks', () => {
  const request = { mode: 'swap' as const, disconnect: true };
  async function ready() {
    const first = await plan(request);
    const safety = await newerBackup();
    await noteSafetyBackup(deps, { runId: first.run.runId, backupId: safety });
    await createTarget(deps, { runId: first.run.runId });
    await put(first.run.runId, 'facts/checks.json', []);
    await recordRestoreSpan(deps, first.run.runId, 'checks', { from: deps.now(), to: deps.now() });
    return { ...first, safety };
  }

  it('has only its cutover left within some minutes', async () => {
    const first = await ready();
    aheadMs = 5 * minute;
    const again = await plan(request);
    expect(again.output).toMatchObject({ runId: first.run.runId, isReady: true, safety: null });
  });

  it('later takes another safety backup, and its checks come again, until both were done', async () => {
    const first = await ready();
    const { runId } = first.run;
    aheadMs = 12 * minute;
    const again = await plan(request);
    expect(again.output).toMatchObject({ runId, isReady: false, safety: first.output.safety });
    // Killed once more before it came to that.
    aheadMs = 13 * minute;
    expect((await plan(request)).output).toMatchObject({
      ...{ isReady: false, safety: first.output.safety },
    });
    expect(await readSafetyBackup(deps.workspace, runId)).toMatchObject({ backupId: first.safety });
    const second = await newerBackup();
    await noteSafetyBackup(deps, { runId, backupId: second });
    expect(await readSafetyBackup(deps.workspace, runId)).toMatchObject({ backupId: second });
    aheadMs = 14 * minute;
    expect((await plan(request)).output).toMatchObject({ isReady: false, safety: null });
    // Nothing of the old results is left that RunChecks would let stand.
    expect(await harness.read(`restores/${runId}/facts/checks.json`)).toBeUndefined();
    await put(runId, 'facts/checks.json', []);
    await recordRestoreSpan(deps, runId, 'checks', { from: deps.now(), to: deps.now() });
    expect((await plan(request)).output).toMatchObject({ isReady: true, safety: null });
    expect(await harness.read(`restores/${runId}/facts/warnings-stood-still-2.json`)).toMatchObject(
      [{ code: 'stood-still', message: expect.stringContaining(first.safety) }],
    );
  });

  it('later, with its cutover begun and nothing renamed, is taken back and begun anew', async () => {
    const first = await ready();
    const { runId, workDatabase } = first.run;
    const [row] = await onServer<{ oid: number }>(
      'postgres',
      `SELECT oid::int FROM pg_database WHERE datname = '${workDatabase}'`,
    );
    await put(runId, 'facts/cutover-begun.json', {
      work: { oid: row?.oid, name: workDatabase, allowsConnections: true },
      previous: null,
    });
    aheadMs = 12 * minute;
    const next = await plan(request);
    expect(next.run.runId).not.toBe(runId);
    expect(next.output).toMatchObject({ isReady: false, safety: { tier: 'safety' } });
    expect(await harness.databases()).not.toContain(workDatabase);
  });

  it('later, with the cutover done, only ends', async () => {
    const first = await ready();
    const { runId, finalDatabase } = first.run;
    await put(runId, 'facts/cutover.json', { database: finalDatabase, previousDatabase: null });
    aheadMs = 60 * minute;
    expect((await plan(request)).output).toMatchObject({ runId, isReady: true, safety: null });
  });
});
