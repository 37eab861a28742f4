import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerPool } from '../../local/engine/pool.ts';
import { type Kills, makeKills, options, states } from './kill-support.ts';

let kills: Kills;
beforeAll(async () => {
  kills = await makeKills('kill_worker');
});
afterAll(() => kills?.harness[Symbol.asyncDispose]());

describe('a restore whose worker processes are killed', { timeout: 180_000 }, () => {
  it.each(states)('in %s tries it again and is identical', async (state) => {
    let pool: WorkerPool | undefined;
    let isKilled = false;
    const onProgress = (event: { state: string }) => {
      if (event.state !== state || isKilled) return;
      isKilled = true;
      // Deep in it, or just after it: both must do.
      void sleep(Math.random() * 100).then(async () => {
        for (const pid of (await pool?.allPids()) ?? []) process.kill(pid, 'SIGKILL');
      });
    };
    const onPool = (opened: WorkerPool) => {
      pool = opened;
    };
    const report = await kills.harness.restore({ options }, { onProgress, onPool });
    expect(isKilled).toBe(true);
    await kills.expectIdentical(report);
  });
});
