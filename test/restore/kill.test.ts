import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreHarness } from './harness.ts';
import { type Kills, makeKills, options, states } from './kill-support.ts';

let kills: Kills;
let harness: RestoreHarness;
beforeAll(async () => {
  kills = await makeKills('kill');
  harness = kills.harness;
});
afterAll(() => kills?.harness[Symbol.asyncDispose]());

const outcomeOf = (runId: string) => `restores/${runId}/outcome.json`;

describe('a restore that is killed as a whole', () => {
  it.each(states.map((state) => [state, Math.round(Math.random() * 120)] as const))(
    'in %s after %i ms goes on with the same command, and is identical',
    async (state, milliseconds) => {
      const runId = newRunId();
      await killedIn(state, milliseconds, runId);
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
    await killedIn('CompareUnit', 0, runId);
    const messages: (string | undefined)[] = [];
    const report = await harness.restore(
      { options },
      { onProgress: ({ message }) => messages.push(message) },
    );
    expect(report.runId).toBe(runId);
    expect(messages.join()).toContain(`Going on with restore ${runId}`);
    await kills.expectIdentical(report);
  });
});

/** Starts a restore in a process of its own and kills it, and with it its workers, once it is in `state`. */
async function killedIn(state: string, milliseconds: number, runId: string): Promise<void> {
  const { connection, ...rest } = harness.options({ options }, { runId });
  const child = fork(join(import.meta.dirname, 'killed-restore.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const reached = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (message === state || typeof message !== 'string') resolve();
    });
  });
  child.send({ ...rest, connection: { ...connection, password: await connection.password() } });
  await reached;
  await sleep(milliseconds);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
