/**
 * Every alarm goes to ALARM and back by what the deployed functions tell, or by what somebody does to a key or a bucket,
 * and people hear of both. Where an age or a count cannot be waited for, the alarm's threshold is lowered to the figure
 * that is really told; thresholds themselves are those of the templates (test/infrastructure/alarms.test.ts). The clock of
 * metrics and alarms is set ahead to see what silence does.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DescribeAlarmsCommand,
  GetDashboardCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLegalHoldCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { readEnvironment } from '../../../core/environment/read-environment.ts';
import { alarmsOf } from '../../../lib/alarms/alarms-of.ts';
import { type AlarmKind, runbookOf } from '../../../lib/alarms/kinds.ts';
import { primaryRegion } from '../emulator-clients.ts';
import { atWork, type Notices, subscribe } from './disturb.ts';
import { environmentName } from './environment.ts';
import { clientsIn, ended, fillShop, names, primary, quick, start, succeeded } from './harness.ts';

vi.setConfig({ testTimeout: 300_000 });

const { cloudwatch, kms, lambda, s3 } = clientsIn(primaryRegion);
const Bucket = names.vaultBucket(primary());
const soon = { timeout: 60_000, interval: 300 };
const nameOf = (kind: AlarmKind, source = 'shop') => names.alarm(kind, source);

let notices: Notices;
beforeAll(async () => {
  await fillShop();
  notices = await subscribe('alarms');
  await succeeded(await start('backup', { source: 'shop', options: quick }));
});
afterAll(() => rm(clockFile(), { force: true }));

/** Of metrics and alarms alone (alarms.py). */
function clockFile(): string {
  const { faultsFile } = inject('cloud');
  if (faultsFile === undefined) throw new Error('Only our own emulator has such a clock.');
  return `${faultsFile}.clock-ahead`;
}

let ahead = 0;
/** Time passes: what was told before is that much older. */
async function pass(seconds: number): Promise<void> {
  ahead += seconds;
  await writeFile(clockFile(), String(ahead));
}
const anHour = 3_660;

async function alarm(name: string): Promise<MetricAlarm> {
  const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  if (MetricAlarms?.[0] === undefined) throw new Error(`There is no alarm ${name}.`);
  return MetricAlarms[0];
}

const stateOf = async (name: string) => (await alarm(name)).StateValue;
const becomes = (name: string, state: 'ALARM' | 'OK') =>
  expect.poll(() => stateOf(name), soon).toBe(state);

/** @returns what puts it back */
async function setThreshold(name: string, Threshold: number): Promise<() => Promise<unknown>> {
  const was = await alarm(name);
  const put = (threshold: number | undefined) => {
    const { AlarmArn: _1, AlarmConfigurationUpdatedTimestamp: _2, StateValue: _3, ...rest } = was;
    const { StateReason: _4, StateUpdatedTimestamp: _5, StateReasonData: _6, ...it } = rest;
    const { StateTransitionedTimestamp: _7, EvaluationState: _8, ...alarmed } = it;
    return cloudwatch.send(
      new PutMetricAlarmCommand({
        ...alarmed,
        ...{ AlarmName: name, Threshold: threshold },
        EvaluationPeriods: was.EvaluationPeriods,
        ComparisonOperator: was.ComparisonOperator,
      }),
    );
  };
  await put(Threshold);
  return () => put(was.Threshold);
}

async function callSentinel(): Promise<void> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: names.function('Sentinel'), Payload: Buffer.from('{}') }),
  );
  expect(FunctionError, Buffer.from(Payload ?? []).toString()).toBeUndefined();
}

/** An hour and a minute later the event has not come again. */
async function isOverAnHourLater(name: string): Promise<void> {
  await pass(anHour);
  await becomes(name, 'OK');
  const isOver = new RegExp(`"AlarmName": "${name}".*"NewStateValue": "OK"`);
  expect(await notices.about(isOver)).toContain('periods are bad');
}

/** Data objects under a prefix. */
async function dataOf(prefix: string): Promise<{ Key: string; VersionId: string }[]> {
  const { Versions = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket, Prefix: prefix }),
  );
  return Versions.filter(({ Key }) => Key?.includes('/data/')).map(({ Key, VersionId }) => ({
    ...{ Key: String(Key), VersionId: String(VersionId) },
  }));
}

/** Data of the backup that was begun last, as long as it has no manifest. */
async function dataOfUnsealed() {
  const { Versions = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket, Prefix: 'backups/shop/' }),
  );
  const ids = [...new Set(Versions.map(({ Key = '' }) => Key.split('/')[2] ?? ''))].sort();
  const prefix = `backups/shop/${ids.at(-1)}/`;
  const isSealed = Versions.some(({ Key }) => Key === `${prefix}manifest.json`);
  return isSealed ? [] : dataOf(prefix);
}

/** As the break-glass role could: holds are taken off, locks of GOVERNANCE passed. */
async function destroy(object: { Key: string; VersionId: string }): Promise<void> {
  const LegalHold = { Status: 'OFF' } as const;
  await s3.send(new PutObjectLegalHoldCommand({ Bucket, ...object, LegalHold }));
  await s3.send(new DeleteObjectCommand({ Bucket, ...object, BypassGovernanceRetention: true }));
}

test('the deployment has the alarms of the table, and the dashboard', async () => {
  const file = join(inject('environments'), `${environmentName}.json`);
  const environment = readEnvironment(await readFile(file, 'utf8'), file, environmentName);
  const wanted = alarmsOf({ environment, place: primary(), isPrimary: true });
  for (const { name, description } of wanted) {
    expect((await alarm(name)).AlarmDescription).toBe(description);
  }
  const DashboardName = names.dashboard(primaryRegion);
  const { DashboardBody = '' } = await cloudwatch.send(new GetDashboardCommand({ DashboardName }));
  expect(DashboardBody).toContain('RPO achieved');
});

describe('ages, as the sentinel tells them', () => {
  test('backup missed: silence is an alarm, a backup within the RPO ends it, one that is older begins it', async () => {
    const name = nameOf('backup-missed');
    await callSentinel();
    await becomes(name, 'OK');
    await pass(anHour);
    await becomes(name, 'ALARM');
    const told = await notices.about(`"AlarmName": "${name}"`);
    expect(told).toContain(runbookOf('backup-missed'));
    await callSentinel();
    await becomes(name, 'OK');
    const putBack = await setThreshold(name, 0);
    await becomes(name, 'ALARM');
    await putBack();
    await becomes(name, 'OK');
  });

  test('drill stale: until a drill has proven a backup', async () => {
    const name = nameOf('drill-stale');
    await pass(anHour);
    await becomes(name, 'ALARM');
    const drill = { target: 'scratch', choice: { source: 'shop' }, options: { pollSeconds: 1 } };
    await succeeded(await start('drill', drill));
    await callSentinel();
    await becomes(name, 'OK');
    const putBack = await setThreshold(name, 0);
    await becomes(name, 'ALARM');
    await putBack();
    await becomes(name, 'OK');
  });

  test('replica behind: by the figure that is told of every source with a replica', async () => {
    const name = nameOf('replica-behind');
    await callSentinel();
    await becomes(name, 'OK');
    // It tells 0 while the copy is there.
    const putBack = await setThreshold(name, 0);
    await becomes(name, 'ALARM');
    await putBack();
    await becomes(name, 'OK');
  });

  test('snapshot too old: by the age that the watch of a running backup tells', async () => {
    const name = nameOf('snapshot-too-old');
    await pass(anHour);
    await becomes(name, 'OK');
    const putBack = await setThreshold(name, 0);
    await succeeded(await start('backup', { source: 'shop', options: quick }));
    await becomes(name, 'ALARM');
    await putBack();
    await becomes(name, 'OK');
  });
});

describe('failures', () => {
  // What other tests did is over.
  beforeEach(() => pass(anHour));

  test('an object that is destroyed while its backup runs: verification damaged, and backup failed', async () => {
    await fillShop(300_000);
    await becomes(nameOf('verification-damaged'), 'OK');
    await becomes(nameOf('backup-failed'), 'OK');
    const execution = await start('backup', { source: 'shop', options: quick });
    await atWork('unit-');
    const [object] = await vi.waitUntil(async () => {
      const written = await dataOfUnsealed();
      return written.length > 0 && written;
    }, soon);
    if (object === undefined) throw new Error('No data object was written.');
    await destroy(object);
    expect((await ended(execution)).status).toBe('FAILED');
    await becomes(nameOf('verification-damaged'), 'ALARM');
    await becomes(nameOf('backup-failed'), 'ALARM');
    await isOverAnHourLater(nameOf('verification-damaged'));
    await becomes(nameOf('backup-failed'), 'OK');
  });

  test('a backup whose source is not known fails: an alarm of its own', async () => {
    const name = nameOf('backup-failed', 'unknown');
    await becomes(name, 'OK');
    expect((await ended(await start('backup', { source: 'nobody' }))).status).toBe('FAILED');
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
  });

  test('a drill of a backup that has lost an object: drill failed, and restore failed', async () => {
    await fillShop();
    const report = await succeeded(await start('backup', { source: 'shop', options: quick }));
    await becomes(nameOf('drill-failed'), 'OK');
    await becomes(nameOf('restore-failed'), 'OK');
    const [object] = await dataOf(`backups/shop/${report.backupId}/`);
    if (object === undefined) throw new Error('The backup has no data.');
    await destroy(object);
    const choice = { source: 'shop', backup: report.backupId };
    const drill = await start('drill', { target: 'scratch', choice, options: { pollSeconds: 1 } });
    expect((await ended(drill)).status).toBe('FAILED');
    await becomes(nameOf('drill-failed'), 'ALARM');
    await becomes(nameOf('restore-failed'), 'ALARM');
    await isOverAnHourLater(nameOf('drill-failed'));
    await becomes(nameOf('restore-failed'), 'OK');
    // The newest backup is a good one again, for whoever comes next.
    await succeeded(await start('backup', { source: 'shop', options: quick }));
  });
});

describe('what somebody does to keys and vaults', () => {
  // What the deployment, and other tests, did is over.
  beforeAll(() => pass(anHour));

  const told = async (kind: AlarmKind, event: string) => {
    const text = await notices.about(event);
    expect(text).toContain(runbookOf(kind));
    expect(text).toContain('Who: arn:aws:iam::');
  };

  test('a key that is disabled, or scheduled for deletion', async () => {
    const name = names.alarm('key-disabled');
    await becomes(name, 'OK');
    const { KeyMetadata } = await kms.send(
      new DescribeKeyCommand({ KeyId: names.encryptionKeyAlias }),
    );
    const KeyId = KeyMetadata?.KeyId;
    await kms.send(new DisableKeyCommand({ KeyId }));
    await kms.send(new EnableKeyCommand({ KeyId }));
    await told('key-disabled', 'What: DisableKey at');
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 }));
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    await kms.send(new EnableKeyCommand({ KeyId }));
    await told('key-disabled', 'What: ScheduleKeyDeletion at');
  });

  test('a lifecycle that is set anew', async () => {
    const name = names.alarm('vault-changed');
    await becomes(name, 'OK');
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    const LifecycleConfiguration = { Rules };
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    await told('vault-changed', 'What: PutBucketLifecycle at');
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
  });

  test('a delete, which the lock denies', async () => {
    const name = names.alarm('delete-attempted');
    await becomes(name, 'OK');
    const [object] = await dataOf('backups/shop/');
    if (object === undefined) throw new Error('There is no data.');
    const denied = s3.send(new DeleteObjectCommand({ Bucket, ...object }));
    await expect(denied).rejects.toThrow(/Access ?Denied|locked/i);
    await told('delete-attempted', 'What: DeleteObject at');
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
  });
});

test('an alarm of one source says nothing of another', async () => {
  await callSentinel();
  await becomes(nameOf('backup-missed'), 'OK');
  expect(await stateOf(nameOf('restore-failed', 'unknown'))).toBe('OK');
});
