/** CleanUp after a restore or a drill whose process was killed with -9. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { cleanUp } from '../../core/run/clean-up.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { requestedBy } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from '../restore/harness.ts';
import { onServer } from '../restore/shared-server.ts';
import { ended, killedIn, read } from './clean-up-support.ts';

let harness: RestoreHarness;
let deps: Deps;
/** What is there before any restore, and has to be after each. */
let before: string[];
beforeAll(async () => {
  harness = await makeRestoreHarness('clean_up_restore');
  const { vaultDirectory, keyFile, connection } = harness.options();
  ({ deps } = await openLocalDeps({ vaultDirectory, keyFile: keyFile as string, connection }));
  before = await harness.databases();
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const options = { leaseSeconds: 600, unitBytes: 256 << 10 };
const sessionsOf = (runId: string) =>
  onServer(
    'postgres',
    `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`,
  );

async function leasesHeldBy(runId: string): Promise<string[]> {
  const held: string[] = [];
  for await (const key of deps.workspace.list('leases/')) {
    const lease = await read(deps, key);
    if (lease?.['runId'] === runId && lease['isReleased'] !== true) held.push(key);
  }
  return held;
}

/** The server takes a moment to see that a client has said goodbye. */
const expectNoSessions = (runId: string) =>
  expect.poll(() => sessionsOf(runId), { timeout: 30_000, interval: 50 }).toEqual([]);

async function expectTakenBack(runId: string): Promise<void> {
  await expectNoSessions(runId);
  expect(await leasesHeldBy(runId)).toEqual([]);
  expect(await read(deps, `restores/${runId}/outcome.json`)).toMatchObject({
    state: 'failed',
    error: { name: 'RunAbortedError' },
  });
}

const nothing = (machine: string, runId: string) => ({
  ...{ machine, runId, found: 'ended', cleaned: [], troubles: [] },
});

describe('a restore that was killed', () => {
  it.each(['CreateTarget', 'FinishRows', 'PlanBuilds', 'CompareUnit'])(
    'in %s leaves no database, no session, no lease and an outcome; a second call does nothing',
    async (state) => {
      const runId = newRunId();
      const restore = harness.options({ options }, { runId });
      await killedIn({ machine: 'restore', options: restore }, state);
      const done = await cleanUp(deps, ended('restore', runId));
      expect(done).toMatchObject({ machine: 'restore', runId, found: 'unended', troubles: [] });
      expect(await harness.databases()).toEqual(before);
      await expectTakenBack(runId);
      expect(await cleanUp(deps, ended('restore', runId))).toEqual(nothing('restore', runId));
    },
  );

  it('while its safety backup is taken: that is ended too, and the database is as it was', async () => {
    const live = harness.ownDatabase('clean_up_live');
    await onServer('postgres', `CREATE DATABASE ${live}`);
    await onServer(live, 'CREATE TABLE kept AS SELECT i FROM generate_series(1, 50000) i');
    const content = await contentOf(live);
    const runId = newRunId();
    const restore = harness.options({ mode: 'swap', database: live, options }, { runId });
    await killedIn({ machine: 'restore', options: restore }, 'DumpUnit');
    const stopped: string[] = [];
    const stopExecution = async (machine: string, name: string) => {
      stopped.push(`${machine} ${name}`);
    };
    const { found, cleaned, troubles } = await cleanUp(
      { ...deps, stopExecution },
      ended('restore', runId),
    );
    expect({ found, troubles }).toEqual({ found: 'unended', troubles: [] });
    expect(stopped).toEqual([`backup ${runId}-safety`]);
    expect(cleaned.join()).toContain(`safety backup ${runId}-safety ended`);
    await expectTakenBack(runId);
    await expectNoSessions(`${runId}-safety`);
    expect(await leasesHeldBy(`${runId}-safety`)).toEqual([]);
    expect(await read(deps, `runs/${runId}-safety/outcome.json`)).toMatchObject({
      state: 'failed',
    });
    expect(await contentOf(live)).toEqual(content);
  });

  it('after its cutover keeps what was restored', async () => {
    const runId = newRunId();
    const name = harness.ownDatabase('clean_up_done');
    const restore = harness.options({ database: name, options }, { runId });
    await killedIn({ machine: 'restore', options: restore }, 'ReportRestore', 0);
    expect(await cleanUp(deps, ended('restore', runId))).toMatchObject({ found: 'unended' });
    expect(await harness.databases()).toContain(name);
    expect(await contentOf(name)).toEqual(await contentOf(harness.source.database.name));
    expect(await leasesHeldBy(runId)).toEqual([]);
  });

  it('or has succeeded, or was only asked for, is left as it is', async () => {
    const name = harness.ownDatabase('clean_up_good');
    const { runId } = await harness.restore({ database: name, options });
    const report = await read(deps, `restores/${runId}/report.json`);
    expect(await cleanUp(deps, ended('restore', runId))).toEqual(nothing('restore', runId));
    expect(await harness.databases()).toContain(name);
    expect(await read(deps, `restores/${runId}/report.json`)).toEqual(report);
    const unknown = await cleanUp(deps, { machine: 'restore', runId: 'nobody' });
    expect(unknown).toEqual({ ...nothing('restore', 'nobody'), found: 'unknown' });
    const begun = await cleanUp(deps, ended('restore', 'in-plan'));
    expect(begun).toMatchObject({ found: 'unended', cleaned: [], troubles: [] });
    expect(await read(deps, 'restores/in-plan/outcome.json')).toMatchObject({ state: 'failed' });
  });

  it('and was gone on with by another execution is left to that one', async () => {
    const short = { ...options, leaseSeconds: 2 };
    const [first, second] = [newRunId(), newRunId()];
    await killedIn(
      { machine: 'restore', options: harness.options({ options: short }, { runId: first }) },
      'LoadUnit',
    );
    await killedIn(
      { machine: 'restore', options: harness.options({ options }, { runId: second }) },
      'CompareUnit',
    );
    // Told late that the first was stopped: the second has its restore by now.
    expect(await cleanUp(deps, ended('restore', first))).toEqual(nothing('restore', first));
    expect(await read(deps, `restores/${first}/outcome.json`)).toBeUndefined();
    expect(await cleanUp(deps, ended('restore', second))).toMatchObject({ found: 'unended' });
    await expectTakenBack(first);
    expect(await leasesHeldBy(second)).toEqual([]);
  });
});

describe('a drill that was killed', () => {
  it.each(['FinishRows', 'CompareUnit'])(
    'in %s leaves no scratch database, and proves nothing',
    async (state) => {
      const runId = newRunId();
      const { input: _, ...where } = harness.options();
      const drill = { ...where, runId, input: { target: 'here', requestedBy, options } };
      await killedIn({ machine: 'drill', options: drill }, state);
      const databases = await harness.databases();
      expect(databases.filter((name) => name.includes('_drill_'))).toHaveLength(1);
      const done = await cleanUp(deps, ended('drill', runId));
      expect(done).toMatchObject({ machine: 'drill', found: 'unended', troubles: [] });
      const left = await harness.databases();
      expect(left.filter((name) => name.includes('_drill_'))).toEqual([]);
      await expectTakenBack(`${runId}-scratch`);
      expect(await read(deps, `restores/${runId}/report.json`)).toMatchObject({
        ...{ kind: 'drill', state: 'failed', error: { name: 'RunAbortedError' } },
      });
      for await (const { key } of deps.vault.list('evidence/')) expect(key).not.toContain('proven');
      expect(await cleanUp(deps, ended('drill', runId))).toEqual(nothing('drill', runId));
      // The rule tells of the child's end as well.
      const child = `${runId}-scratch`;
      expect(await cleanUp(deps, ended('restore', child))).toEqual(nothing('restore', child));
    },
  );
});
