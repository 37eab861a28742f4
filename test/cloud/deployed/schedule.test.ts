/** The clock starts a backup; what it delivers twice is made once. */
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import {
  GetScheduleCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogueEntrySchema } from '../../../core/contract/catalogue.ts';
import { vaultKeys } from '../../../core/vault/keys.ts';
import { clientSettings, primaryRegion } from '../emulator-clients.ts';
import { clientsIn, fillShop, names, primary, start, succeeded } from './harness.ts';

const schedule = { Name: 'shop-hourly', GroupName: names.scheduleGroup };
const scheduler = new SchedulerClient(clientSettings());
const { sfn, s3 } = clientsIn(primaryRegion);
let putBack: (() => Promise<unknown>) | undefined;

beforeAll(() => fillShop());
afterAll(() => putBack?.());

/** As it is, but for its expression. */
async function changeExpression(expression: string): Promise<string> {
  const { ScheduleExpression, FlexibleTimeWindow, Target, ...rest } = await scheduler.send(
    new GetScheduleCommand(schedule),
  );
  const { Name, GroupName, ScheduleExpressionTimezone, State, Description } = rest;
  await scheduler.send(
    new UpdateScheduleCommand({
      ...{ Name, GroupName, FlexibleTimeWindow, Target, State },
      ...(Description !== undefined && { Description }),
      ...{ ScheduleExpressionTimezone, ScheduleExpression: expression },
    }),
  );
  return String(ScheduleExpression);
}

async function scheduledExecutions() {
  const stateMachineArn = names.machineArn('backup', primary());
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  return executions.filter(({ name }) => name?.startsWith('shop-hourly-'));
}

const Bucket = names.vaultBucket(primary());
async function keysUnder(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key }) => String(Key));
}

test('the schedule fires: published, verified, replicated, in the catalogue with the tier that the calendar gives; a second delivery is a duplicate', async () => {
  const before = (await scheduledExecutions()).length;
  const expression = await changeExpression('rate(1 minute)');
  putBack = () => changeExpression(expression);
  await expect
    .poll(async () => (await scheduledExecutions()).length, { timeout: 120_000, interval: 500 })
    .toBe(before + 1);
  await putBack();

  const [execution] = await scheduledExecutions();
  const { executionArn = '', name } = execution ?? {};
  expect(name).toMatch(/^shop-hourly-[0-9a-f]{16}$/);
  const report = await succeeded(executionArn);
  expect(report).toMatchObject({
    ...{ state: 'published', scope: 'full', tables: 2, replica: 'replicated' },
    runId: name,
  });

  // Its manifest and its entry, as another program finds them in the bucket.
  const keys = await keysUnder(vaultKeys.catalogueOf('shop'));
  const Key = keys.find((one) => one.includes(report.backupId));
  const read = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const entry = catalogueEntrySchema.parse(
    JSON.parse((await read.Body?.transformToString()) ?? ''),
  );
  expect(entry).toMatchObject({ backupId: report.backupId, source: 'shop', rows: 20_500 });
  // Asked for as hourly; the first full one of its year that a schedule made is kept as that.
  expect(entry.tier).toBe('yearly');
  const evidence = await keysUnder(vaultKeys.evidenceOf('shop', report.backupId));
  for (const kind of ['verified', 'published', 'replicated']) {
    expect(evidence).toContainEqual(expect.stringMatching(new RegExp(`-${kind}\\.json$`)));
  }

  const { input = '' } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  expect(JSON.parse(input)).toMatchObject({
    ...{ source: 'shop', tier: 'hourly' },
    scheduledAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00Z$/),
  });
  const duplicate = await succeeded(await start('backup', JSON.parse(input)));
  expect(duplicate).toMatchObject({ isDuplicate: true, backupId: report.backupId });
});
