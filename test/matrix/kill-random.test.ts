import { afterAll, beforeAll, it } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreHarness } from '../restore/harness.ts';
import { type Kills, killedIn, makeKills, options } from '../restore/kill-support.ts';

const moments = 20;

let kills: Kills;
let harness: RestoreHarness;
/** Of a restore that nobody kills. */
let usualMs: number;
beforeAll(async () => {
  kills = await makeKills('kill_random');
  harness = kills.harness;
});
afterAll(() => kills?.harness[Symbol.asyncDispose]());

it('a restore that nobody kills is identical, and tells how long one takes', async () => {
  const begin = performance.now();
  const report = await harness.restore({ options });
  usualMs = performance.now() - begin;
  await kills.expectIdentical(report);
});

it.each(
  Array.from({ length: moments }, (_, index) => [index, Math.floor(Math.random() * 100)] as const),
)(
  'kill -9 number %i, after %i % of its time, then the same command again: identical',
  async (_, percent) => {
    const runId = newRunId();
    await killedIn(
      harness.options({ options }, { runId }),
      'PlanRestore',
      (percent / 100) * usualMs,
    );
    const done = (await harness.read(`restores/${runId}/report.json`)) as RestoreReport | undefined;
    const isOver = (await harness.read(`restores/${runId}/outcome.json`)) !== undefined;
    await kills.expectIdentical(isOver && done ? done : await harness.restore({ options }));
  },
);
