/** Executions that are stopped run no Catch: the rule on their end calls CleanUp. And what the sentinel says of it all. */
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { FunctionOutput } from '../../../core/contract/functions.ts';
import { applicationNamePrefixOf } from '../../../core/postgres/application-name.ts';
import { answerRightly, holdBefore } from './disturb.ts';
import {
  clientsIn,
  connectTo,
  ended,
  fillShop,
  names,
  primary,
  quick,
  start,
  succeeded,
} from './harness.ts';

beforeAll(() => fillShop());
afterEach(() => answerRightly());

const nameOf = (executionArn: string): string => executionArn.split(':').at(-1) as string;

async function onServer(sql: string): Promise<Record<string, unknown>[]> {
  const client = await connectTo('primary');
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const sessionsOf = (runId: string, which = '') =>
  onServer(`SELECT application_name FROM pg_stat_activity
             WHERE starts_with(application_name, '${applicationNamePrefixOf(runId)}${which}')`);

/** JSON of the workspace; undefined when it is not there. */
async function read(key: string): Promise<Record<string, unknown> | undefined> {
  const { s3 } = clientsIn(primary().region);
  const Bucket = names.workspaceBucket(primary());
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

async function stop(executionArn: string): Promise<void> {
  const { sfn } = clientsIn(primary().region);
  await sfn.send(
    new StopExecutionCommand({ executionArn, cause: 'a person thought better of it' }),
  );
  expect((await ended(executionArn)).status).toBe('ABORTED');
}

const soon = { timeout: 90_000, interval: 100 };

test('a backup that is stopped leaves no session and no lease, and the next one begins at once', async () => {
  // Holders look once an hour: they do not leave by themselves while the test looks on.
  const options = { holdRoundSeconds: 3_600 };
  await holdBefore('Seal');
  const execution = await start('backup', { source: 'shop', options });
  const runId = nameOf(execution);
  await expect.poll(() => sessionsOf(runId, 'holder-'), soon).not.toEqual([]);
  await stop(execution);
  await answerRightly();
  await expect
    .poll(() => read(`runs/${runId}/outcome.json`), soon)
    .toMatchObject({ state: 'failed', error: 'RunAbortedError' });
  await expect.poll(() => sessionsOf(runId), soon).toEqual([]);
  const outcome = await read(`runs/${runId}/outcome.json`);
  expect(outcome?.['message']).toContain(`The backup ${runId} was stopped`);
  const next = await succeeded(await start('backup', { source: 'shop', options: quick }));
  expect(next).toMatchObject({ state: 'published' });
});

test('a restore that is stopped leaves no database', async () => {
  const databases = () => onServer('SELECT datname FROM pg_database ORDER BY 1');
  const before = await databases();
  await holdBefore('FinishRows');
  const execution = await start('restore', { target: 'scratch', choice: { source: 'shop' } });
  const runId = nameOf(execution);
  await expect.poll(async () => (await databases()).length, soon).toBe(before.length + 1);
  await stop(execution);
  await expect
    .poll(() => read(`restores/${runId}/outcome.json`), soon)
    .toMatchObject({ state: 'failed', error: { name: 'RunAbortedError' } });
  await expect.poll(databases, soon).toEqual(before);
  await expect.poll(() => sessionsOf(runId), soon).toEqual([]);
});

test('the sentinel tells the ages of every source, by what is signed in both Regions', async () => {
  const drill = { target: 'scratch', choice: { source: 'shop' }, options: { pollSeconds: 1 } };
  await succeeded(await start('drill', drill));
  const { lambda } = clientsIn(primary().region);
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: names.function('Sentinel'), Payload: Buffer.from('{}') }),
  );
  const text = Buffer.from(Payload ?? []).toString();
  expect(FunctionError, text).toBeUndefined();
  const { sources } = JSON.parse(text) as FunctionOutput<'Sentinel'>;
  expect(sources).toEqual([
    {
      source: 'shop',
      newest: expect.stringMatching(/^shop-/),
      sealedAgeSeconds: expect.any(Number),
      verifiedAgeSeconds: expect.any(Number),
      replicatedAgeSeconds: expect.any(Number),
      provenAgeSeconds: expect.any(Number),
      rpoSeconds: 7_200,
      isWithinRpo: true,
      isReplicaBehind: false,
      unpublished: [],
      problems: [],
    },
  ]);
});
