/** CleanUp after a backup that a Catch could not clean up: its process is killed with -9, and nothing of it ran on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { cleanUp } from '../../core/run/clean-up.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import {
  expectNoSessions,
  expectNothingLeft,
  fillShop,
  type Harness,
  makeHarness,
} from '../backup/harness.ts';
import { ended, killedIn, read } from './clean-up-support.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('clean_up');
  await fillShop(harness.database);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** Holders look once an hour: a session that is gone was ended. */
const options = { holdRoundSeconds: 3_600, chunkBytes: 256 << 10 };
const backupOptions = (runId: string) => harness.options({ runId }, { options });

describe('a backup that was killed', () => {
  it.each(['DumpSchema', 'PlanUnits', 'DumpUnit', 'Seal', 'VerifyUnit'])(
    'in %s leaves no session, no lease and an outcome; a second call does nothing; the next backup begins at once',
    async (state) => {
      const runId = newRunId();
      await killedIn({ machine: 'backup', options: backupOptions(runId) }, state);
      if (state === 'DumpUnit') expect(await harness.sessions()).not.toEqual([]);
      const done = await cleanUp(harness.deps, ended('backup', runId));
      expect(done).toMatchObject({ machine: 'backup', runId, found: 'unended', troubles: [] });
      await expectNothingLeft(harness, runId, 'RunAbortedError');
      expect(await read(harness.deps, `runs/${runId}/aborted`)).toMatchObject({
        error: 'RunAbortedError',
      });
      const again = await cleanUp(harness.deps, ended('backup', runId));
      expect(again).toEqual({
        machine: 'backup',
        runId,
        found: 'ended',
        cleaned: [],
        troubles: [],
      });
    },
  );

  it('by a time limit has that as its error', async () => {
    const runId = newRunId();
    await killedIn({ machine: 'backup', options: backupOptions(runId) }, 'DumpUnit');
    await cleanUp(harness.deps, ended('backup', runId, 'TIMED_OUT'));
    await expectNothingLeft(harness, runId, 'TaskTimedOutError');
  });

  it('and is cancelled by a person has its execution stopped first', async () => {
    const runId = newRunId();
    await killedIn({ machine: 'backup', options: backupOptions(runId) }, 'DumpUnit');
    const stopped: string[] = [];
    const stopExecution = async (machine: string, name: string) => {
      stopped.push(`${machine} ${name}`);
    };
    await cleanUp({ ...harness.deps, stopExecution }, { machine: 'backup', runId });
    expect(stopped).toEqual([`backup ${runId}`]);
    await expectNothingLeft(harness, runId, 'RunAbortedError');
  });

  it('tells what it could not do, and does the rest', async () => {
    const runId = newRunId();
    await killedIn({ machine: 'backup', options: backupOptions(runId) }, 'DumpUnit');
    const unreachable = { ...harness.database.settings, port: 1 };
    const deps = { ...harness.deps, connectionOf: async () => unreachable };
    const { found, troubles } = await cleanUp(deps, { machine: 'backup', runId });
    expect(found).toBe('unended');
    expect(troubles).toEqual([expect.stringContaining('could not be ended')]);
    expect(await read(harness.deps, 'leases/shop.json')).toMatchObject({ runId, isReleased: true });
    await cleanUp(harness.deps, { machine: 'backup', runId });
    await expectNoSessions(harness);
  });

  it('called by a rule, logs, counts and throws what another try may not have; the other try does what was left', async () => {
    const runId = newRunId();
    await killedIn({ machine: 'backup', options: backupOptions(runId) }, 'DumpUnit');
    const unreachable = { ...harness.database.settings, port: 1 };
    const logged: string[] = [];
    const counted: unknown[] = [];
    const deps: Deps = {
      ...harness.deps,
      connectionOf: async () => unreachable,
      progress: ({ state, message }) => void logged.push(`${state} ${message}`),
      metric: (...told) => void counted.push(told),
    };
    const attempt = () => cleanUp(deps, ended('backup', runId));
    for (const _ of ['first', 'second']) {
      await expect(attempt()).rejects.toMatchObject({ name: 'SourceUnreachableError' });
    }
    expect(logged.filter((line) => line.startsWith('CleanUp '))).toEqual([
      `CleanUp backup ${runId}: lease on shop given free`,
      ...Array(2).fill(
        expect.stringMatching(`^CleanUp backup ${runId}: .*could not be ended.*ECONNREFUSED`),
      ),
    ]);
    expect(counted).toEqual([
      ['BackupFailed', 1, { source: 'shop' }],
      ...Array(2).fill(['CleanUpTroubles', 1, { machine: 'backup' }]),
    ]);
    // The outcome does not wait for it.
    expect(await read(harness.deps, `runs/${runId}/outcome.json`)).toMatchObject({
      state: 'failed',
    });
    expect(await harness.sessions()).not.toEqual([]);

    expect(await cleanUp(harness.deps, ended('backup', runId))).toMatchObject({ troubles: [] });
    await expectNoSessions(harness);
    expect(await cleanUp(harness.deps, ended('backup', runId))).toMatchObject({ found: 'ended' });
  });
});

describe('nothing is done', () => {
  it('to a backup that succeeded, whatever its execution is said to have come to', async () => {
    const { runId } = await runBackup(backupOptions(newRunId()));
    const before = await harness.deps.workspace.get(`runs/${runId}/outcome.json`);
    for (const status of ['ABORTED', 'FAILED', 'SUCCEEDED']) {
      const done = await cleanUp(harness.deps, ended('backup', runId, status));
      expect(done).toMatchObject({ found: 'ended', cleaned: [], troubles: [] });
    }
    expect(await harness.deps.workspace.get(`runs/${runId}/outcome.json`)).toEqual(before);
    expect(await harness.deps.workspace.get(`runs/${runId}/aborted`)).toBeUndefined();
    expect(await harness.catalogue()).toHaveLength(1);
  });

  it('for a run that a person misspelled, and for an execution that still runs', async () => {
    const unknown = await cleanUp(harness.deps, { machine: 'backup', runId: 'nobody' });
    expect(unknown).toMatchObject({ found: 'unknown', cleaned: [], troubles: [] });
    expect(await harness.deps.workspace.get('runs/nobody/aborted')).toBeUndefined();
    expect(await harness.deps.workspace.get('runs/nobody/outcome.json')).toBeUndefined();
    const running = await cleanUp(harness.deps, ended('backup', 'nobody', 'RUNNING'));
    expect(running).toMatchObject({ found: 'ended' });
  });

  it('but the record, for an execution that was ended before it had written anything down', async () => {
    const done = await cleanUp(harness.deps, ended('backup', 'in-plan'));
    expect(done).toMatchObject({ found: 'unended', cleaned: [], troubles: [] });
    expect(await read(harness.deps, 'runs/in-plan/outcome.json')).toMatchObject({
      ...{ state: 'failed', error: 'RunAbortedError', source: null },
    });
  });

  it('but the record, under the source that its input names, which the event of its end repeats', async () => {
    const counted: unknown[] = [];
    const deps: Deps = { ...harness.deps, metric: (...told) => void counted.push(told) };
    const event = ended('backup', 'named') as { detail: object };
    const input = '{"source":"shop","tier":"daily"}';
    await cleanUp(deps, { ...event, detail: { ...event.detail, input } } as never);
    expect(counted).toEqual([['BackupFailed', 1, { source: 'shop' }]]);
    expect(await read(deps, 'runs/named/outcome.json')).toMatchObject({ source: 'shop' });
  });

  it('for a state machine that is none of ours', async () => {
    const event = ended('backup', 'x') as { detail: { stateMachineArn: string } };
    const foreign = {
      ...event,
      detail: { ...event.detail, stateMachineArn: 'arn:aws:states:x:orders' },
    };
    await expect(cleanUp(harness.deps, foreign as never)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('arn:aws:states:x:orders'),
    });
  });
});
