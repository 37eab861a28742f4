import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreHarness } from './harness.ts';
import { type Kills, killedIn, makeKills, options, states } from './kill-support.ts';
import { onServer } from './shared-server.ts';

let kills: Kills;
let harness: RestoreHarness;
beforeAll(async () => {
  kills = await makeKills('kill');
  harness = kills.harness;
});
afterAll(() => kills?.harness[Symbol.asyncDispose]());

const outcomeOf = (runId: string) => `restores/${runId}/outcome.json`;

describe('a restore that is killed as a whole', { timeout: 180_000 }, () => {
  it.each(states.map((state) => [state, Math.round(Math.random() * 120)] as const))(
    'in %s after %i ms goes on with the same command, and is identical',
    async (state, milliseconds) => {
      const runId = newRunId();
      await killedIn(harness.options({ options }, { runId }), state, milliseconds);
      // The last moment may have been too late: then it is done.
      const isOver = (await harness.read(outcomeOf(runId))) !== undefined;
      const report = isOver
        ? ((await harness.read(`restores/${runId}/report.json`)) as RestoreReport | undefined)
        : await harness.restore({ options });
      const isPlanned = (await harness.read(`restores/${runId}/run.json`)) !== undefined;
      if (isPlanned) expect(await harness.read(outcomeOf(runId))).toMatchObject({ runId });
      await kills.expectIdentical(report as RestoreReport);
    },
  );

  it('is gone on with under its own run id, and not begun again', async () => {
    const runId = newRunId();
    await killedIn(harness.options({ options }, { runId }), 'CompareUnit', 0);
    const messages: (string | undefined)[] = [];
    const report = await harness.restore(
      { options },
      { onProgress: ({ message }) => messages.push(message) },
    );
    expect(report.runId).toBe(runId);
    expect(messages.join()).toContain(`Going on with restore ${runId}`);
    await kills.expectIdentical(report);
  });

  it.each([
    ['while the safety backup is taken', 'DumpUnit'],
    ['in the cutover', 'Cutover'],
  ])('%s of a swap, goes on, and the replaced database is kept', async (_, state) => {
    const live = harness.ownDatabase(`kill_live_${state.toLowerCase()}`);
    await onServer('postgres', `CREATE DATABASE ${live}`);
    await onServer(live, 'CREATE TABLE worth_keeping AS SELECT i FROM generate_series(1, 9) i');
    const request = { mode: 'swap' as const, database: live, options };
    const runId = newRunId();
    await killedIn(harness.options(request, { runId }), state, 20);
    const report = await harness.restore(request);
    expect(report).toMatchObject({ runId, database: live });
    const aside = harness.ownDatabase(report.previousDatabase as string);
    expect(await harness.databases()).toContain(aside);
    const safety = (await harness.source.catalogue()).filter(({ tier }) => tier === 'safety');
    expect(safety.map(({ backupId }) => backupId)).toContain(report.safetyBackupId);
    await kills.expectIdentical(report);
  });
});
