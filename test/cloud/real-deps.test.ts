/**
 * The ports of a function as they are made on AWS, and the function Record, deployed from the bundle: who may not sign has
 * it signed, and hears by name what was refused.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { bundleLambdas } from '../../build/lambda-bundle.ts';
import type { Deps } from '../../core/contract/deps.ts';
import { functionEnvNames } from '../../core/contract/env.ts';
import { namesOf } from '../../core/contract/names.ts';
import { readEvidence } from '../../core/evidence/record.ts';
import { openRealDeps } from '../../lambdas/real-deps.ts';
import { sizeOf } from '../../lib/functions/sizes.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { clientSettings, primaryRegion as region, s3Settings } from './emulator-clients.ts';
import { newEncryptionKey, newSigningKey } from './kms-support.ts';
import { cloudPython } from './python-venv.ts';

const folders = temporaryFolders();
const environment = `rd${process.pid % 100_000}`;
const names = namesOf(environment);
const account = () => inject('cloud').accountId;
const place = () => ({ account: account(), region });
let env: Record<string, string>;

beforeAll(async () => {
  const vaultBucket = names.vaultBucket(place());
  const workspaceBucket = names.workspaceBucket(place());
  const s3 = new S3Client(s3Settings());
  await s3.send(new CreateBucketCommand({ Bucket: vaultBucket, ObjectLockEnabledForBucket: true }));
  await s3.send(new CreateBucketCommand({ Bucket: workspaceBucket }));
  env = {
    AWS_REGION: region,
    ...inject('cloud').env,
    [functionEnvNames.environment]: environment,
    [functionEnvNames.vaultBucket]: vaultBucket,
    [functionEnvNames.workspaceBucket]: workspaceBucket,
    [functionEnvNames.vaultId]: names.vaultId(place()),
    [functionEnvNames.encryptionKey]: await newEncryptionKey(),
    [functionEnvNames.signingKey]: await newSigningKey(),
    [functionEnvNames.lockMode]: 'GOVERNANCE',
  };
  // The clients find credentials and endpoint there, as in a function.
  for (const [name, value] of Object.entries(inject('cloud').env)) vi.stubEnv(name, value);
});

describe('Plan', () => {
  it('makes an empty bucket a vault, once', async () => {
    const first = (await openRealDeps('Plan', env)).deps;
    const marker = await first.vault.get('vault.json');
    expect(JSON.parse(Buffer.from(marker).toString())).toMatchObject({
      format: 'holdfast-vault',
      vaultId: names.vaultId(place()),
      encryptionKeyId: env[functionEnvNames.encryptionKey]?.split('/').at(-1),
    });
    const second = (await openRealDeps('Plan', env)).deps;
    expect(await second.vault.get('vault.json')).toEqual(marker);
  });

  it('does not work with another key than the vault’s', async () => {
    const other = { ...env, [functionEnvNames.encryptionKey]: await newEncryptionKey() };
    await expect(openRealDeps('Plan', other)).rejects.toMatchObject({ name: 'KeyMismatchError' });
  });
});

describe('evidence of a function that may not sign', () => {
  const evidence = {
    kind: 'proven',
    source: 'shop',
    backupId: 'shop-20261121T042100Z-abcdef',
    by: { user: 'tester', host: 'here' },
    manifestSha256: 'a'.repeat(64),
    facts: { rows: 3 },
  } as const;
  let deps: (name: 'ConcludeDrill' | 'LoadUnit') => Promise<Deps>;

  beforeAll(async () => {
    const folder = join(await folders(), 'lambda');
    await bundleLambdas(folder);
    const zip = `${folder}.zip`;
    const all = "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[1])";
    await promisify(execFile)(await cloudPython(), ['-c', all, folder]);
    const name = names.function('Record');
    const { AWS_REGION: _, ...variables } = env;
    await new LambdaClient(clientSettings()).send(
      new CreateFunctionCommand({
        ...{ FunctionName: name, Runtime: 'nodejs24.x', Handler: 'record.handler' },
        ...{ MemorySize: sizeOf('Record').memoryMb, Timeout: sizeOf('Record').timeoutSeconds },
        Role: `arn:aws:iam::${account()}:role/any`,
        Code: { ZipFile: await readFile(zip) },
        Environment: { Variables: variables },
      }),
    );
    deps = async (state) =>
      (await openRealDeps(state, { ...env, [functionEnvNames.recordFunction]: name })).deps;
  });

  it('is signed and written by Record', async () => {
    const { record, vault, keyRing } = await deps('ConcludeDrill');
    const key = await record?.(evidence);
    expect(await readEvidence({ vault, keyRing }, key as string)).toMatchObject(evidence);
  });

  it('of a kind that is not its to leave is refused by name, with what is allowed', async () => {
    const { record } = await deps('LoadUnit');
    await expect(record?.(evidence)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: 'LoadUnit asks for a record "proven"; that is left by ConcludeDrill alone.',
      evidence: { state: 'LoadUnit', kind: 'proven', backupId: evidence.backupId },
    });
  });

  it('fails by name where there is no such function', async () => {
    const missing = { ...env, [functionEnvNames.recordFunction]: 'holdfast-nowhere-Record' };
    const { record } = (await openRealDeps('ConcludeDrill', missing)).deps;
    await expect(record?.(evidence)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('holdfast-nowhere-Record'),
    });
  });
});

it('knows the sources of its environment, and of no other', async () => {
  const ssm = new SSMClient(clientSettings());
  const put = (name: string) =>
    ssm.send(new PutParameterCommand({ Name: name, Type: 'String', Value: '{}' }));
  const sources = Array.from({ length: 12 }, (_, i) => `s${String(i).padStart(2, '0')}`);
  for (const source of sources) await put(names.sourceParameter(source));
  await put(names.targetParameter('target'));
  await put(namesOf(`${environment}x`).sourceParameter('other'));
  const { deps } = await openRealDeps('Sentinel', env);
  expect(await deps.sourceNames?.()).toEqual(sources);
});

it('stops an execution that runs; one that is not there is none to stop', async () => {
  const sfn = new SFNClient(clientSettings());
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: names.machine('backup'),
      roleArn: `arn:aws:iam::${account()}:role/any`,
      definition: JSON.stringify({
        StartAt: 'Wait',
        States: { Wait: { Type: 'Wait', Seconds: 600, End: true } },
      }),
    }),
  );
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, name: 'shop-daily-1' }),
  );
  const { deps } = await openRealDeps('CleanUp', env);
  await deps.stopExecution?.('backup', 'shop-daily-1', 'its parent was stopped');
  const status = async () =>
    (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
  await expect.poll(status, { timeout: 60_000 }).toBe('ABORTED');
  await deps.stopExecution?.('backup', 'nobody', 'its parent was stopped');
});
