/** What fails for a moment is tried again; what fails for good is told, recorded, and leaves nothing published. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { CreateDBInstanceCommand, RDSClient, StopDBInstanceCommand } from '@aws-sdk/client-rds';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { vaultKeys, workspaceKeys } from '../../../core/vault/keys.ts';
import { collectThrown } from '../../statemachines/thrown-names.ts';
import { attemptsOf } from '../attempts.ts';
import { clientSettings, primaryRegion } from '../emulator-clients.ts';
import { isOurs, onlyOurs } from '../own-emulator.ts';
import {
  answerRightly,
  answerWith,
  atWork,
  changeSecret,
  endAtWork,
  type Fault,
  failures,
  forgetFailures,
  forgetSettings,
  holdBefore,
  inWorkspace,
  killFunction,
  type Notices,
  subscribe,
} from './disturb.ts';
import { secretNames } from './environment.ts';
import { clientsIn, ended, fillShop, names, primary, quick, start, succeeded } from './harness.ts';

const saw = collectThrown(import.meta.filename, isOurs);
/** What the emulator's Step Functions got from functions, told and collected. */
const seen = () => {
  const all = failures();
  saw(...all.map((line) => String(line.split(' ')[1])));
  return all;
};

const { lambda, logs, s3, sfn } = clientsIn(primaryRegion);
const backup = () => start('backup', { source: 'shop', options: quick });

const published = async (): Promise<number> => {
  const Bucket = names.vaultBucket(primary());
  const Prefix = vaultKeys.catalogueOf('shop');
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.length;
};

let notices: Notices;
beforeAll(async () => {
  await fillShop();
  notices = await subscribe('failures');
});
beforeEach(() => forgetFailures());
afterEach(() => answerRightly());

describe('a backup that fails', () => {
  test('because of a wrong password ends with that error, publishes nothing, and people hear of it in words', async () => {
    const before = await published();
    const putBack = await changeSecret(secretNames.shop, { password: 'no longer this' });
    await forgetSettings('Plan');
    try {
      const executionArn = await backup();
      expect(await ended(executionArn)).toMatchObject({
        status: 'FAILED',
        error: 'AuthenticationFailedError',
        cause: expect.not.stringContaining('no longer this'),
      });
      const name = String(executionArn.split(':').at(-1));
      const notice = await notices.about(name);
      expect(notice).toContain(`the backup ${name} ended as FAILED`);
      expect(notice).toContain('Unless `holdfast list` shows it, nothing was published');
      expect(notice).toContain('What to do:');
      expect(notice).toContain(`/v2/executions/details/${executionArn}`);
      expect(await published()).toBe(before);
      expect(await inWorkspace(workspaceKeys.outcome(name))).toMatchObject({
        ...{ runId: name, state: 'failed', error: 'AuthenticationFailedError', source: 'shop' },
      });
      // No Retry and no Catch has this name: what led to that outcome was a Catch of States.ALL.
      saw('States.ALL');
      const logGroupName = `/aws/lambda/${names.function('CleanUp')}`;
      await expect
        .poll(
          async () => {
            const command = new FilterLogEventsCommand({ logGroupName });
            const { events = [] } = await logs.send(command);
            return events.map(({ message }) => message);
          },
          { timeout: 60_000, interval: 300 },
        )
        .toContainEqual(expect.stringMatching(`CleanUp done.*${name}`));
    } finally {
      await putBack();
      await forgetSettings('Plan');
    }
  });

  test.each([
    ['an unknown field', { source: 'shop', tables: ['orders'] }, /tables/],
    ['no source', {}, /source/],
  ])('because its input has %s shows a right one', async (_, input, text) => {
    const end = await ended(await start('backup', input));
    expect(end).toMatchObject({ status: 'FAILED', error: 'ConfigurationError' });
    expect(end.cause).toMatch(text);
    expect(JSON.parse(end.cause ?? '').errorMessage).toContain('A right one: {"source":"shop"}');
  });
});

describe('a backup that dumps', () => {
  // Long enough to be caught at it.
  beforeAll(() => fillShop(300_000));
  afterAll(() => fillShop());

  test('is stopped by a person gives its lease free, and people hear of it', async () => {
    await holdBefore('Seal');
    const executionArn = await backup();
    await atWork('unit-');
    await sfn.send(new StopExecutionCommand({ executionArn, cause: 'maintenance begins' }));
    // The event of its end, by which CleanUp is called, does not say why: CleanUp asks the execution.
    expect(await ended(executionArn)).toMatchObject({
      ...{ status: 'ABORTED', cause: 'maintenance begins' },
    });
    const name = String(executionArn.split(':').at(-1));
    expect(await notices.about(name)).toContain(`the backup ${name} ended as ABORTED`);
    await expect
      .poll(() => inWorkspace(workspaceKeys.outcome(name)), { timeout: 60_000, interval: 300 })
      .toMatchObject({
        ...{ state: 'failed', error: 'RunAbortedError' },
        message: expect.stringContaining(`The backup ${name} was stopped (maintenance begins)`),
      });
    expect(await inWorkspace(workspaceKeys.lease('shop'))).toMatchObject({
      ...{ runId: name, isReleased: true },
    });
  });

  test.skipIf(!isOurs)(
    `goes on when the processes that dump are killed${onlyOurs('its processes are not ours')}`,
    async () => {
      const executionArn = await backup();
      // It does not come to its end while they are looked for.
      const session = await atWork('unit-');
      process.kill(session, 'SIGSTOP');
      try {
        expect(killFunction('DumpUnit')).toBeGreaterThan(0);
      } finally {
        process.kill(session, 'SIGCONT');
      }
      expect(await succeeded(executionArn)).toMatchObject({ state: 'published', rows: 300_500 });
      expect(seen()).toContain('DumpUnit Runtime.ExitError');
    },
  );

  test.skipIf(!isOurs)(
    `goes on when the sessions that dump are ended${onlyOurs('nobody tells what Step Functions saw')}`,
    async () => {
      const executionArn = await backup();
      await endAtWork('unit-');
      expect(await succeeded(executionArn)).toMatchObject({ state: 'published', rows: 300_500 });
      expect(seen()).toContain('DumpUnit ConnectionLostError');
    },
  );
});

const faults = onlyOurs('it answers no faults that we ask for');
describe.skipIf(!isOurs)(`a backup goes on${faults}`, () => {
  test('when a function has no room for a moment', async () => {
    const FunctionName = names.function('HoldSnapshot');
    const get = new GetFunctionConcurrencyCommand({ FunctionName });
    const { ReservedConcurrentExecutions: was } = await lambda.send(get);
    const reserve = (ReservedConcurrentExecutions: number) =>
      lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }),
      );
    await reserve(0);
    const executionArn = await backup();
    try {
      await expect
        .poll(seen, { timeout: 60_000 })
        .toContain('HoldSnapshot Lambda.TooManyRequestsException');
    } finally {
      if (was !== undefined) await reserve(was);
      else await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    }
    expect(await succeeded(executionArn)).toMatchObject({ state: 'published' });
  });

  // The client of a service tries five times by itself.
  const kms = (status: number, error: string): Fault => ({
    ...{ target: 'TrentService.GenerateDataKey', status, error, times: 6 },
  });
  test.each([
    ['the key is throttled', 'KeyThrottledError', kms(400, 'ThrottlingException')],
    ['the key service has an error', 'KeyServiceError', kms(500, 'KMSInternalException')],
    [
      'the vault has an error',
      'VaultIoError',
      // Of Publish alone, and the client itself tries eight times. SlowDown it would wait for by the minute: that is in
      // vault-refusals.test.ts.
      { method: 'PUT', path: '/catalog/shop/', status: 500, error: 'InternalError', times: 8 },
    ],
    [
      'a service has an error',
      'AwsServiceError',
      {
        ...{ target: 'secretsmanager.GetSecretValue', status: 500, times: 6 },
        error: 'InternalServiceError',
      },
    ],
    [
      'an object is late at the replica',
      'ReplicaBehindError',
      {
        ...{ method: 'HEAD', status: 404, error: 'NotFound', times: 1 },
        path: `^/${names.vaultBucket({ ...primary(), region: 'eu-west-1' })}/backups/.*/data/`,
      },
    ],
  ] as const)('when %s: %s', async (_, name, fault) => {
    await answerWith(fault);
    const executionArn = await backup();
    expect(await succeeded(executionArn)).toMatchObject({ state: 'published' });
    expect(seen()).toContainEqual(expect.stringMatching(new RegExp(` ${name}$`)));
  });

  test('when the database instance of the target is stopped, and then there again', async () => {
    const { rds, ssm } = {
      rds: new RDSClient(clientSettings()),
      ssm: clientsIn(primaryRegion).ssm,
    };
    const DBInstanceIdentifier = 'stopped';
    await rds.send(
      new CreateDBInstanceCommand({
        ...{ DBInstanceIdentifier, Engine: 'postgres', DBInstanceClass: 'db.t4g.medium' },
        ...{
          AllocatedStorage: 20,
          MasterUsername: 'postgres',
          MasterUserPassword: 'whatever-it-is',
        },
      }),
    );
    await rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier }));
    await succeeded(await backup());
    const Name = names.targetParameter('scratch');
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
    const was = String(Parameter?.Value);
    const put = (Value: string) =>
      ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
    const connection = { dbInstance: DBInstanceIdentifier, secret: secretNames.restore };
    await put(JSON.stringify({ ...JSON.parse(was), connection }));
    await forgetSettings('PlanRestore');
    let executionArn: string;
    try {
      executionArn = await start('restore', {
        ...{ target: 'scratch', choice: { source: 'shop' } },
        options: { pollSeconds: 1 },
      });
      await expect
        .poll(seen, { timeout: 60_000 })
        .toContain('PlanRestore DatabaseInstanceNotReadyError');
    } finally {
      await put(was);
    }
    await forgetSettings('PlanRestore');
    expect(await succeeded(executionArn)).toMatchObject({ verdict: 'identical' });
  });

  test('whatever Lambda answers instead of a function, once before its work and once after it', async () => {
    const answers = [
      ['Plan', 'Lambda.ServiceException'],
      ['HoldSnapshot', 'Lambda.AWSLambdaException'],
      ['DumpSchema', 'Lambda.SdkClientException'],
      ['PlanUnits', 'Lambda.ClientExecutionTimeoutException'],
      ['Seal', 'Lambda.Unknown'],
      ['Publish', 'Runtime.OutOfMemory'],
      ['RecordReplica', 'States.Timeout'],
      ['Report', 'Sandbox.Timedout'],
    ] as const;
    for (const isAfter of [false, true]) {
      await forgetFailures();
      await answerWith(
        ...answers.map(([state, error]) => ({
          ...{ function: names.function(state), error, isAfter, times: 1 },
        })),
      );
      const executionArn = await backup();
      expect(await succeeded(executionArn)).toMatchObject({ state: 'published', rows: 20_500 });
      expect(failures()).toEqual(answers.map(([state, error]) => `${state} ${error}`));
      for (const [state, error] of answers) {
        const functionArn = names.functionArn(state, primary());
        const attempts = await attemptsOf(sfn, executionArn, functionArn);
        expect(attempts, state).toEqual([error, 'succeeded']);
        saw(...attempts);
      }
    }
  });
});
