/** A restore that was killed after its cutover, before it could say how it ended: whoever finds it says so first. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Deps } from '../../core/contract/deps.ts';
import { readRestoreOutcome } from '../../core/report/outcome.ts';
import { readReport } from '../../core/report/write-report.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { failRestore } from '../../core/restore/fail.ts';
import { planRestore } from '../../core/restore/plan-restore.ts';
import { writeFact } from '../../core/restore/restore-run.ts';
import { discardPrevious, rollback } from '../../core/restore/rollback.ts';
import { releaseTargetLease } from '../../core/restore/target-lease.ts';
import { cleanUp } from '../../core/run/clean-up.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type CutoverHarness, makeCutoverHarness, standingSwap } from './cutover-harness.ts';
import { databases, unique } from './shared-server.ts';

let harness: CutoverHarness;
let deps: Deps;

beforeAll(async () => {
  harness = await makeCutoverHarness('concluded');
  ({ deps } = harness);
});

afterAll(() => harness?.[Symbol.asyncDispose]());

/** @param isTold was the fact `cutover` written before the kill, or only the names exchanged? */
async function killed(isTold: boolean) {
  const choice = { source: harness.manifest.source.name, backup: harness.manifest.backupId };
  const run = await standingSwap(harness, unique('ended'), { choice, safetyBackup: false });
  await writeFact(deps.workspace, run.runId, 'checks', z.array(z.never()), []);
  await cutover(deps, { runId: run.runId });
  if (!isTold) await deps.workspace.delete(workspaceKeys.restoreFact(run.runId, 'cutover'));
  await releaseTargetLease(deps, run);
  return run;
}

type Killed = Awaited<ReturnType<typeof killed>>;

/** The same command once more. */
async function again(run: Killed) {
  const runId = unique('again');
  const output = await planRestore(deps, { runId, request: run.input });
  await failRestore(deps, { runId: output.runId, error: { Error: 'RunAbortedError', Cause: '' } });
  return { output, isNew: output.runId === runId };
}

const stateOf = async (runId: string) => (await readRestoreOutcome(deps, runId))?.state;
const there = ({ finalDatabase, workDatabase, previousDatabase }: Killed) =>
  databases([finalDatabase, workDatabase, previousDatabase]);

describe.each([
  ['after it had noted its cutover', true],
  ['before it could note its cutover', false],
])('a swap that was killed %s', (_title, isTold) => {
  test('and rolled back is over: the same command restores anew, and nothing is dropped', async () => {
    const run = await killed(isTold);
    await rollback(deps, run.runId, { disconnect: true });
    expect(await stateOf(run.runId)).toBe('succeeded');
    expect(await readReport(deps, run.runId)).toMatchObject({ state: 'rolled-back' });
    const { output, isNew } = await again(run);
    expect({ isNew, isReady: output.isReady }).toEqual({ isNew: true, isReady: false });
    expect(await there(run)).toEqual([run.finalDatabase, run.workDatabase]);
  });

  test('and rolled back keeps the database that was put aside when it is cancelled after that', async () => {
    const run = await killed(isTold);
    await rollback(deps, run.runId, { disconnect: true });
    await cleanUp(deps, { machine: 'restore', runId: run.runId });
    expect(await there(run)).toEqual([run.finalDatabase, run.workDatabase]);
  });

  test('has succeeded for one that cancels it, who is told of the way back', async () => {
    const run = await killed(isTold);
    const { found, cleaned, troubles } = await cleanUp(deps, {
      machine: 'restore',
      runId: run.runId,
    });
    expect({ found, troubles }).toEqual({ found: 'unended', troubles: [] });
    expect(cleaned.join()).toContain(`holdfast rollback ${run.runId}`);
    expect(await stateOf(run.runId)).toBe('succeeded');
    expect(await readReport(deps, run.runId)).toMatchObject({
      ...{ state: 'succeeded', error: null },
      ...{ database: run.finalDatabase, previousDatabase: run.previousDatabase },
    });
    expect(await there(run)).toEqual([run.previousDatabase, run.finalDatabase].sort());
  });

  test('has succeeded for another restore of the same target', async () => {
    const run = await killed(isTold);
    const messages: string[] = [];
    const telling: Deps = { ...deps, progress: ({ message = '' }) => messages.push(message) };
    const runId = unique('other');
    const request = { ...run.input, disconnect: true };
    const output = await planRestore(telling, { runId, request });
    expect(output.runId).toBe(runId);
    expect(await stateOf(run.runId)).toBe('succeeded');
    expect(messages.join()).toContain(`holdfast rollback ${run.runId}`);
    await failRestore(deps, { runId, error: { Error: 'RunAbortedError', Cause: '' } });
  });

  test('has succeeded when the old database is dropped for good', async () => {
    const run = await killed(isTold);
    await discardPrevious(deps, run.runId);
    expect(await stateOf(run.runId)).toBe('succeeded');
    expect((await again(run)).isNew).toBe(true);
    expect(await there(run)).toEqual([run.finalDatabase]);
  });
});

test('a rollback of a restore that was reported as failed, its server being away, keeps what it puts aside', async () => {
  const run = await killed(false);
  const unreachable: Deps = {
    ...deps,
    connectionOf: async () => ({ ...(await deps.connectionOf('')), port: 1 }),
  };
  await failRestore(unreachable, {
    runId: run.runId,
    error: { Error: 'ConnectionLostError', Cause: '' },
  });
  expect(await stateOf(run.runId)).toBe('failed');
  await rollback(deps, run.runId, { disconnect: true });
  await cleanUp(deps, { machine: 'restore', runId: run.runId });
  expect(await there(run)).toEqual([run.finalDatabase, run.workDatabase]);
});
