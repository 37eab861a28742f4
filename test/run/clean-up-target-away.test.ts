/** What a restore or a drill leaves because its server is away while it ends: it is told, tried again, and taken away later. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { drillInputSchema } from '../../core/contract/restore.ts';
import { concludeDrill } from '../../core/drill/conclude-drill.ts';
import { planDrill } from '../../core/drill/plan-drill.ts';
import { failRestore } from '../../core/restore/fail.ts';
import { findRestoreRun } from '../../core/restore/restore-run.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { cleanUp } from '../../core/run/clean-up.ts';
import { readNamedLease, releaseNamedLease, takeNamedLease } from '../../core/run/named-lease.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { requestedBy } from '../backup/harness.ts';
import { makeRestoreHarness, type RestoreHarness } from '../restore/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { ended, killedIn, read } from './clean-up-support.ts';

let harness: RestoreHarness;
let deps: Deps;
/** What is there before any restore, and has to be after each. */
let before: string[];
beforeAll(async () => {
  harness = await makeRestoreHarness('target_away');
  const { vaultDirectory, keyFile, connection } = harness.options();
  ({ deps } = await openLocalDeps({ vaultDirectory, keyFile: keyFile as string, connection }));
  before = await harness.databases();
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const options = { leaseSeconds: 600, unitBytes: 256 << 10 };
const nothing = (machine: string, runId: string) => ({
  ...{ machine, runId, found: 'ended', cleaned: [], troubles: [] },
});

describe('a target that is away while a run ends', () => {
  const told: unknown[] = [];
  const away = (): Deps => ({
    ...deps,
    connectionOf: async () => ({ ...sharedSettings('postgres'), port: 1 }),
    metric: (...one) => told.push(one),
  });
  beforeEach(() => void told.splice(0));
  const error = { Error: 'ConnectionLostError', Cause: '{"errorMessage":"it went away"}' };
  const troubles = (machine: string) =>
    told.filter(
      (one) => Array.isArray(one) && one[0] === 'CleanUpTroubles' && one[2].machine === machine,
    );
  const left = async () => (await harness.databases()).filter((name) => !before.includes(name));

  async function killedRestore(): Promise<{ runId: string; database: string }> {
    const runId = newRunId();
    await killedIn(
      { machine: 'restore', options: harness.options({ options }, { runId }) },
      'FinishRows',
    );
    const [database] = await left();
    if (database === undefined) throw new Error('It has made no database.');
    return { runId, database };
  }

  it.each(['its own FailRestore', 'nobody but CleanUp'])(
    'of a restore, told by %s: CleanUp fails, so that it is called again, and then drops the database',
    async (whose) => {
      const { runId, database } = await killedRestore();
      if (whose === 'its own FailRestore') {
        const { cause } = await failRestore(away(), { runId, error });
        expect(cause).toContain('may be left');
      }
      for (const _ of ['by the rule', 'again by Lambda']) {
        const called = cleanUp(away(), ended('restore', runId, 'FAILED'));
        await expect(called).rejects.toMatchObject({
          name: 'SourceUnreachableError',
          retryable: true,
        });
      }
      expect(troubles('restore')).toHaveLength(2);
      expect(await left()).toEqual([database]);
      expect(await cleanUp(deps, ended('restore', runId, 'FAILED'))).toMatchObject({
        ...{ found: 'ended', troubles: [] },
        cleaned: expect.arrayContaining([`database "${database}" dropped`]),
      });
      expect(await left()).toEqual([]);
      const run = await findRestoreRun(deps.workspace, runId);
      const lease = run && (await readNamedLease(deps, targetLeaseOf(run)))?.lease;
      expect(lease).toMatchObject({ runId, isReleased: true });
      expect(await cleanUp(deps, ended('restore', runId))).toEqual(nothing('restore', runId));
    },
  );

  it('of a restore, and cancelled by a person: told what is left, and what was taken away when it is back', async () => {
    const { runId, database } = await killedRestore();
    await failRestore(away(), { runId, error });
    const asked = { machine: 'restore', runId } as const;
    const logged: (string | undefined)[] = [];
    const logging: Deps = { ...deps, progress: ({ message }) => void logged.push(message) };
    const { found, cleaned, troubles } = await cleanUp(away(), asked);
    expect({ found, cleaned }).toEqual({ found: 'ended', cleaned: [] });
    expect(troubles.join()).toContain(`${JSON.stringify(database)} may be left`);
    expect(await cleanUp(logging, asked)).toEqual({
      ...nothing('restore', runId),
      cleaned: [`database "${database}" dropped`],
    });
    expect(logged).toEqual([`restore ${runId}: database "${database}" dropped`]);
    expect(await left()).toEqual([]);
  });

  it('of a restore whose target another one has meanwhile is let be until that one ends', async () => {
    const { runId, database } = await killedRestore();
    await failRestore(away(), { runId, error });
    const run = await findRestoreRun(deps.workspace, runId);
    if (run === undefined) throw new Error('It has no record.');
    const name = targetLeaseOf(run);
    await takeNamedLease(deps, name, { runId: 'other', leaseSeconds: 600, heldBy: requestedBy });
    const asked = { machine: 'restore', runId } as const;
    const { troubles } = await cleanUp(deps, asked);
    expect(troubles).toEqual([
      expect.stringMatching(/Restore other works on database .*, or was killed there/),
    ]);
    expect(await left()).toEqual([database]);
    await releaseNamedLease(deps, name, 'other');
    expect(await cleanUp(deps, asked)).toMatchObject({
      cleaned: [`database "${database}" dropped`],
    });
    expect(await left()).toEqual([]);
  });

  const drillOptions = (runId: string) => {
    const { input: _, ...where } = harness.options();
    return { ...where, runId, input: { target: 'here', requestedBy, options } };
  };

  it('of a drill that was killed: the same', async () => {
    const runId = newRunId();
    await killedIn({ machine: 'drill', options: drillOptions(runId) }, 'FinishRows');
    const scratch = await left();
    expect(scratch).toHaveLength(1);
    for (const _ of ['by the rule', 'again by Lambda']) {
      await expect(cleanUp(away(), ended('drill', runId))).rejects.toMatchObject({
        retryable: true,
      });
    }
    expect(await left()).toEqual(scratch);
    expect(await cleanUp(deps, ended('drill', runId))).toMatchObject({
      ...{ found: 'ended', troubles: [] },
      cleaned: expect.arrayContaining([`database "${scratch[0]}" dropped`]),
    });
    expect(await left()).toEqual([]);
    expect(await cleanUp(deps, ended('drill', runId))).toEqual(nothing('drill', runId));
  });

  /** As when the server goes away between Cutover and ConcludeDrill. @returns its scratch database */
  async function provenDrill(runId: string): Promise<string> {
    await killedIn({ machine: 'drill', options: drillOptions(runId) }, 'ConcludeDrill', 0);
    const [scratch] = await left();
    if (scratch === undefined) throw new Error('It has made no database.');
    return scratch;
  }

  it.each(['`holdfast cancel`', 'the next drill there'])(
    'of a drill that has succeeded: it is counted, and %s drops the scratch database',
    async (whose) => {
      const runId = newRunId();
      const scratch = await provenDrill(runId);
      const restore = await read(deps, `restores/${runId}-scratch/report.json`);
      const report = await concludeDrill(away(), { runId, restore, error: null });
      expect(report).toMatchObject({ state: 'succeeded', database: scratch });
      expect(JSON.stringify(report)).toContain(`holdfast cancel ${runId}`);
      expect(troubles('drill')).toEqual([['CleanUpTroubles', 1, { machine: 'drill' }]]);
      expect(await left()).toEqual([scratch]);
      const asked = { machine: 'drill', runId } as const;
      if (whose === 'the next drill there') {
        const other = newRunId();
        const { input } = drillOptions(other);
        await planDrill(deps, { runId: other, request: drillInputSchema.parse(input) });
      } else {
        const { cleaned } = await cleanUp(deps, asked);
        expect(cleaned).toEqual([`database "${scratch}" dropped`]);
      }
      expect(await left()).toEqual([]);
      expect(await cleanUp(deps, asked)).toEqual(nothing('drill', runId));
    },
  );
});
