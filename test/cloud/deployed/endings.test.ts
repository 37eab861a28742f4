/**
 * Executions that are stopped run no Catch: the rule on their end calls CleanUp, and people hear of it. Ended at some of
 * the states; at every one of them in test/endings/.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MachineName } from '../../../core/contract/names.ts';
import { applicationNamePrefixOf } from '../../../core/postgres/application-name.ts';
import { workspaceKeys } from '../../../core/vault/keys.ts';
import { primaryRegion } from '../emulator-clients.ts';
import {
  answerRightly,
  answerWith,
  holdBefore,
  inWorkspace,
  type Notices,
  subscribe,
} from './disturb.ts';
import {
  clientsIn,
  connectTo,
  contentOf,
  ended,
  fillShop,
  names,
  primary,
  quick,
  start,
  succeeded,
} from './harness.ts';

const { s3, sfn } = clientsIn(primaryRegion);
const soon = { timeout: 90_000, interval: 200 };

let notices: Notices;
beforeAll(async () => {
  await fillShop();
  notices = await subscribe('endings');
  await succeeded(await start('backup', { source: 'shop', options: quick }));
});
afterEach(() => answerRightly());

async function onServer(sql: string): Promise<Record<string, unknown>[]> {
  const client = await connectTo('primary');
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** With what decides on them, and the roles beside. */
const servedNow = () =>
  onServer(`SELECT oid, datname AS name, datallowconn AS open FROM pg_database
            UNION ALL SELECT oid, rolname, NULL FROM pg_roles ORDER BY 2`);

/** Executions of a run: itself, and those that it starts. */
const executionsOf = (runId: string) => ['', '-safety', '-scratch'].map((end) => runId + end);

async function sessionsOf(runId: string): Promise<unknown[]> {
  const prefixes = executionsOf(runId).map((one) => `'${applicationNamePrefixOf(one)}'`);
  return onServer(`SELECT application_name FROM pg_stat_activity
    WHERE ${prefixes.map((one) => `starts_with(application_name, ${one})`).join(' OR ')}`);
}

async function leasesOf(runId: string): Promise<unknown[]> {
  const Bucket = names.workspaceBucket(primary());
  const Prefix = workspaceKeys.leases;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const leases = await Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '');
    }),
  );
  return leases.filter((one) => executionsOf(runId).includes(one.runId) && !one.isReleased);
}

/** As soon as it has come to the state. */
async function stopAt(executionArn: string, state: string): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(20)) {
    const { events = [] } = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }),
    );
    if (events.some(({ stateEnteredEventDetails: entered }) => entered?.name === state)) {
      await sfn.send(new StopExecutionCommand({ executionArn, cause: 'maintenance begins' }));
      return;
    }
  }
  throw new Error(`${executionArn} never came to ${state}.`);
}

const outcomeOf = (machine: MachineName, runId: string) =>
  inWorkspace(
    machine === 'backup' ? workspaceKeys.outcome(runId) : workspaceKeys.restoreOutcome(runId),
  );

/** What CleanUp, or the run's own Fail state, has written down. */
async function recordOf(machine: MachineName, runId: string): Promise<string[]> {
  const record =
    machine === 'backup'
      ? await inWorkspace(workspaceKeys.outcome(runId))
      : await inWorkspace(workspaceKeys.restoreReport(runId));
  return (record?.['cleaned'] ?? []) as string[];
}

const choice = { source: 'shop' };
/** Holders and leases that stay: what is gone was taken away. */
const backup = { source: 'shop', options: { holdRoundSeconds: 3_600, leaseSeconds: 3_600 } };
const options = { pollSeconds: 1, leaseSeconds: 3_600 };
const swap = { target: 'scratch', mode: 'swap', database: 'shop', choice, options };
const drill = { target: 'scratch', choice, options };

describe('an execution that is stopped', () => {
  test.each([
    // With the function that comes next.
    ['backup', 'DumpUnderSnapshot', 'Seal', backup, 'lease on shop given free'],
    ['backup', 'VerifyUnits', 'Publish', backup, 'lease on shop given free'],
    ['restore', 'SafetyBackup', 'CreateTarget', swap, ''],
    ['restore', 'BuildWaves', 'CompareUnit', { ...swap, safetyBackup: false }, 'dropped'],
    ['drill', 'RestoreToScratch', 'ConcludeDrill', drill, ''],
  ] as const)(
    'a %s in %s leaves the servers as they were, no lease, a record, and a notice',
    async (machine, state, next, input, cleaned) => {
      await holdBefore(next);
      const before = { served: await servedNow(), live: await contentOf('primary', 'shop') };
      const executionArn = await start(machine, input);
      const runId = String(executionArn.split(':').at(-1));
      await stopAt(executionArn, state);
      expect((await ended(executionArn)).status).toBe('ABORTED');
      await expect
        .poll(() => outcomeOf(machine, runId), soon)
        .toMatchObject({ state: 'failed', finishedAt: expect.any(String) });
      expect(JSON.stringify(await outcomeOf(machine, runId))).toContain('maintenance begins');
      await expect.poll(() => leasesOf(runId), soon).toEqual([]);
      await expect.poll(() => sessionsOf(runId), soon).toEqual([]);
      await expect.poll(servedNow, soon).toEqual(before.served);
      expect(await contentOf('primary', 'shop')).toEqual(before.live);
      expect((await recordOf(machine, runId)).join('; ')).toContain(cleaned);
      expect(await notices.about(runId)).toContain(`the ${machine} ${runId} ended as ABORTED`);
    },
  );
});

test('a restore whose function never comes back in time is taken back, and people hear of it', async () => {
  const before = { served: await servedNow(), live: await contentOf('primary', 'shop') };
  await answerWith({
    ...{ function: names.function('LoadUnit'), error: 'Sandbox.Timedout' },
    ...{ isAfter: true, times: 100 },
  });
  const executionArn = await start('restore', { ...swap, safetyBackup: false });
  const runId = String(executionArn.split(':').at(-1));
  expect(await ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'TaskTimedOutError' });
  expect(await leasesOf(runId)).toEqual([]);
  await expect.poll(() => sessionsOf(runId), soon).toEqual([]);
  expect(await servedNow()).toEqual(before.served);
  expect(await contentOf('primary', 'shop')).toEqual(before.live);
  expect((await recordOf('restore', runId)).join('; ')).toContain('dropped');
  expect(await notices.about(runId)).toContain(`the restore ${runId} ended as FAILED`);
});

test('the next backup and the next restore begin at once', async () => {
  expect(await succeeded(await start('backup', { source: 'shop', options: quick }))).toMatchObject({
    state: 'published',
  });
  expect(await succeeded(await start('restore', swap))).toMatchObject({ verdict: 'identical' });
});
