import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import type { RestoreRequest, RunRestoreOptions } from '../../local/engine/run-restore.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import type { RestoreHarness } from './harness.ts';
import {
  type Kills,
  killedAt,
  killedIn,
  killedWhen,
  makeKills,
  options,
  states,
} from './kill-support.ts';
import { onServer } from './shared-server.ts';

const temporaryFolder = temporaryFolders();
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
    await killedAt(harness.options({ options }, { runId }), 'CompareUnit');
    const messages: (string | undefined)[] = [];
    const report = await harness.restore(
      { options },
      { onProgress: ({ message }) => messages.push(message) },
    );
    expect(report.runId).toBe(runId);
    expect(messages.join()).toContain(`Going on with restore ${runId}`);
    await kills.expectIdentical(report);
  });

  describe('of a swap', () => {
    /** The swap is killed by `kill`, and the same request once more. */
    async function swapTwice(
      live: string,
      more: Pick<RestoreRequest, 'hooks'>,
      kill: (options: RunRestoreOptions) => Promise<void>,
    ) {
      harness.ownDatabase(live);
      await onServer('postgres', `CREATE DATABASE ${live} TEMPLATE template0`);
      await onServer(live, 'CREATE TABLE worth_keeping AS SELECT i FROM generate_series(1, 9) i');
      const request = { mode: 'swap' as const, database: live, options, ...more };
      const runId = newRunId();
      await kill(harness.options(request, { runId }));
      const report = await harness.restore(request);
      expect(report).toMatchObject({ runId, database: live });
      const aside = harness.ownDatabase(report.previousDatabase as string);
      expect(await harness.databases()).toContain(aside);
      const safety = (await harness.source.catalogue()).filter(({ tier }) => tier === 'safety');
      expect(safety.map(({ backupId }) => backupId)).toContain(report.safetyBackupId);
      await kills.expectIdentical(report);
    }

    it('while the safety backup is taken, goes on, and the replaced database is kept', () =>
      swapTwice('kill_live_backup', {}, (run) => killedAt(run, 'DumpUnit')));

    it('in the cutover, with the names exchanged, goes on, and the replaced database is kept', async () => {
      const folder = await temporaryFolder();
      const [begun, over] = [join(folder, 'begun'), join(folder, 'over')];
      const afterCutover = `touch ${begun}; while test ! -e ${over}; do sleep 0.1; done`;
      await swapTwice('kill_live_cutover', { hooks: { afterCutover } }, async (run) => {
        await killedWhen(run, () =>
          expect.poll(() => existsSync(begun), { timeout: 120_000 }).toBe(true),
        );
        await writeFile(over, '');
      });
    });
  });
});
