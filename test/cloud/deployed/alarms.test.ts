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
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketReplicationCommand,
  GetObjectLockConfigurationCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  test,
  vi,
} from 'vitest';
import type { FunctionOutput } from '../../../core/contract/functions.ts';
import { readEnvironment } from '../../../core/environment/read-environment.ts';
import { alarmsOf } from '../../../lib/alarms/alarms-of.ts';
import { type AlarmKind, runbookOf } from '../../../lib/alarms/kinds.ts';
import { primaryRegion } from '../emulator-clients.ts';
import {
  answerRightly,
  changeSecret,
  forgetSettings,
  holdBefore,
  type Notices,
  subscribe,
} from './disturb.ts';
import { environmentName, secretNames } from './environment.ts';
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
import { holdBackCopies, setClockAhead } from './held-back.ts';

const { cloudwatch, kms, lambda, s3, sfn } = clientsIn(primaryRegion);
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
afterEach(() => answerRightly());

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

async function callSentinel(): Promise<FunctionOutput<'Sentinel'>> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: names.function('Sentinel'), Payload: Buffer.from('{}') }),
  );
  const answer = Buffer.from(Payload ?? []).toString();
  expect(FunctionError, answer).toBeUndefined();
  return JSON.parse(answer);
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

  test('replica behind: a backup that is published and not copied, until the next one is copied', async () => {
    const name = nameOf('replica-behind');
    await callSentinel();
    await becomes(name, 'OK');
    const copyAgain = await holdBackCopies();
    const hourBack = await setClockAhead('Sentinel', anHour);
    try {
      const execution = await start('backup', { source: 'shop', options: quick });
      const isBehind = async () => (await callSentinel()).sources[0]?.isReplicaBehind;
      await expect.poll(isBehind, soon).toBe(true);
      // It would try for long; what is published stays so.
      await sfn.send(new StopExecutionCommand({ executionArn: execution }));
      await ended(execution);
      // What was told before it was published is forgotten.
      await pass(anHour);
      await callSentinel();
      await becomes(name, 'ALARM');
      expect(await notices.about(`"AlarmName": "${name}"`)).toContain(runbookOf('replica-behind'));
      await copyAgain();
      const next = await succeeded(await start('backup', { source: 'shop', options: quick }));
      expect(next).toMatchObject({ replica: 'replicated' });
      expect(await isBehind()).toBe(false);
      await becomes(name, 'OK');
    } finally {
      await copyAgain();
      await hourBack();
    }
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
    await becomes(nameOf('verification-damaged'), 'OK');
    await becomes(nameOf('backup-failed'), 'OK');
    await holdBefore('Seal');
    const execution = await start('backup', { source: 'shop', options: quick });
    const [object] = await vi.waitUntil(async () => {
      const written = await dataOfUnsealed();
      return written.length > 0 && written;
    }, soon);
    if (object === undefined) throw new Error('No data object was written.');
    await destroy(object);
    await answerRightly();
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

  test('one that is refused before it is planned rings under the source that it names', async () => {
    const [name, unknown] = [nameOf('backup-failed'), nameOf('backup-failed', 'unknown')];
    await becomes(name, 'OK');
    await becomes(unknown, 'OK');
    const refused = await ended(await start('backup', { source: 'shop', tier: 'never' }));
    expect(refused).toMatchObject({ status: 'FAILED', error: 'ConfigurationError' });
    await becomes(name, 'ALARM');
    expect(await stateOf(unknown)).toBe('OK');
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

async function callCleanUp(runId: string): Promise<unknown> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: names.function('CleanUp'),
      Payload: JSON.stringify({ machine: 'restore', runId }),
    }),
  );
  const answer = Buffer.from(Payload ?? []).toString();
  if (FunctionError !== undefined) throw new Error(answer);
  return JSON.parse(answer);
}

/** Until another process is there: a rule's call that finds the dead one is repeated a minute later only. */
async function forgetCleanUp(): Promise<void> {
  await forgetSettings('CleanUp');
  await vi.waitFor(() => callCleanUp('nobody'), soon);
}

test('a restore whose target is away while it ends: clean up failed, until it is cancelled with the target back', async () => {
  await pass(anHour);
  const name = names.alarm('clean-up-failed', 'restore');
  await becomes(name, 'OK');
  await fillShop();
  await succeeded(await start('backup', { source: 'shop', options: quick }));
  const databases = async () => {
    const admin = await connectTo('primary');
    const { rows } = await admin.query('SELECT datname FROM pg_database ORDER BY 1');
    await admin.end();
    return rows;
  };
  const before = await databases();
  await holdBefore('FinishRows');
  const execution = await start('restore', { target: 'scratch', choice: { source: 'shop' } });
  const runId = String(execution.split(':').at(-1));
  await expect.poll(async () => (await databases()).length, soon).toBe(before.length + 1);
  const putBack = await changeSecret(secretNames.restore, { port: 1 });
  try {
    await forgetCleanUp();
    await sfn.send(new StopExecutionCommand({ executionArn: execution }));
    expect((await ended(execution)).status).toBe('ABORTED');
    await answerRightly();
    await becomes(name, 'ALARM');
    expect(await notices.about(`"AlarmName": "${name}"`)).toContain(runbookOf('clean-up-failed'));
    expect((await databases()).length).toBe(before.length + 1);
  } finally {
    await putBack();
    await forgetCleanUp();
  }
  expect(await callCleanUp(runId)).toMatchObject({ found: 'ended', troubles: [] });
  expect(await databases()).toEqual(before);
  await isOverAnHourLater(name);
  await fillShop();
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
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
    // That it is the same policy is not asked.
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
    await told('key-disabled', 'What: PutKeyPolicy at');
    await becomes(name, 'ALARM');
    await isOverAnHourLater(name);
  });

  /** Each is set as it was. */
  const settings = {
    PutBucketLifecycle: async () => {
      const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      const LifecycleConfiguration = { Rules };
      await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    },
    PutBucketReplication: async () => {
      const { ReplicationConfiguration } = await s3.send(
        new GetBucketReplicationCommand({ Bucket }),
      );
      await s3.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration }));
    },
    PutBucketObjectLockConfiguration: async () => {
      const { ObjectLockConfiguration } = await s3.send(
        new GetObjectLockConfigurationCommand({ Bucket }),
      );
      await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    },
  };
  test.each(Object.entries(settings))('a setting that is made anew: %s', async (event, setAnew) => {
    const name = names.alarm('vault-changed');
    await becomes(name, 'OK');
    await setAnew();
    await told('vault-changed', `What: ${event} at`);
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
