/**
 * The reading commands with `--vault s3://…`: the CLI as a process of its own, a backup that the state machine made, with
 * keys of KMS, in a bucket of our names and its replica.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openKmsKeyRing } from '../../aws/keyring/kms-key-ring.ts';
import { openS3Vault } from '../../aws/vault/s3-vault.ts';
import { openS3Workspace } from '../../aws/vault/s3-workspace.ts';
import type { BackupReport, CatalogueEntry } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { SourceStatus } from '../../core/contract/functions.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { ensureVaultMarker } from '../../core/vault/marker.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { definitionOf } from '../../local/engine/definition.ts';
import { localDefaults, newRunId } from '../../local/engine/run-backup.ts';
import { execute, loadStateMachine, taskStates } from '../../local/engine/state-machine.ts';
import { fillShop, requestedBy } from '../backup/harness.ts';
import { holdfast } from '../support/cli.ts';
import { sharedSettings, type TestDatabase, testDatabase } from '../support/postgres.ts';
import { primaryRegion, replicaRegion } from './emulator-clients.ts';
import { kmsClient, newEncryptionKey, newSigningKey, replicated } from './kms-support.ts';
import { makeReplicatedBuckets, makeWorkspaceBucket } from './vault-buckets.ts';
import { type Fault, faultyProxy } from './vault-proxy.ts';

const name = `cli${process.pid % 100_000}`;
const names = namesOf(name);
const { accountId: account, env } = inject('cloud');
const [primaryPlace, replicaPlace] = [primaryRegion, replicaRegion].map((region) => ({
  account,
  region,
})) as [{ account: string; region: string }, { account: string; region: string }];
const vaultUrl = `s3://${names.vaultBucket(primaryPlace)}`;
const replicaUrl = `s3://${names.vaultBucket(replicaPlace)}`;

let folder: string;
let database: TestDatabase;
let report: BackupReport;
let failedRun: string;
let signingKeyId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-on-aws-'));
  database = await testDatabase('cli_on_aws');
  await fillShop(database);
  const arns = { encryptionKeyArn: await newEncryptionKey(), signingKeyArn: await newSigningKey() };
  await replicated(arns.encryptionKeyArn);
  await replicated(arns.signingKeyArn);
  const { primary } = await makeReplicatedBuckets({
    primary: names.vaultBucket(primaryPlace),
    replica: names.vaultBucket(replicaPlace),
  });
  const workspace = await makeWorkspaceBucket(primaryRegion, names.workspaceBucket(primaryPlace));
  const deps: Deps = {
    vault: openS3Vault({ ...primary, lockMode: 'GOVERNANCE' }),
    workspace: openS3Workspace(workspace),
    keyRing: openKmsKeyRing({ kms: kmsClient(), ...arns }),
    vaultId: names.vaultId(primaryPlace),
    connectionOf: async (source) =>
      source === 'shop' ? database.settings : { ...sharedSettings('postgres'), port: 1 },
    now: () => new Date(),
    progress: () => undefined,
    toolVersions: { holdfast: 'test', node: process.versions.node },
  };
  signingKeyId = deps.keyRing.signingKeyId;
  await ensureVaultMarker(deps);
  report = (await backUp(deps, 'shop', newRunId())) as BackupReport;
  failedRun = newRunId();
  await expect(backUp(deps, 'nowhere', failedRun)).rejects.toThrow();
  const { PublicKey = new Uint8Array() } = await kmsClient().send(
    new GetPublicKeyCommand({ KeyId: arns.signingKeyArn }),
  );
  await writeEnvironment(Buffer.from(PublicKey).toString('base64'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function backUp(deps: Deps, source: string, runId: string): Promise<unknown> {
  const definition = await loadStateMachine(definitionOf('backup'));
  const options = { ...localDefaults, jobs: 2 };
  return execute(definition, {
    name: runId,
    input: backupInputSchema.parse({ source, requestedBy, options }),
    retryMilliseconds: Object.fromEntries([...taskStates(definition).keys()].map((s) => [s, 10])),
    call: (state: StateName, payload) => handlers[state](deps)(payload),
  });
}

const environmentFile = () => join(folder, `${name}.json`);

function writeEnvironment(publicKey: string): Promise<void> {
  return writeFile(
    environmentFile(),
    JSON.stringify({
      ...{ name, account, regions: { primary: primaryRegion, replica: replicaRegion } },
      signingPublicKeys: [
        {
          keyId: signingKeyId,
          publicKey: `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`,
        },
      ],
      sources: [{ name: 'shop', connection: { secret: 'shop/backup' } }],
    }),
  );
}

/** With the emulator's credentials and no Region: the bucket says where it is. */
const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  holdfast(args, {
    env: { ...env, AWS_REGION: '', AWS_DEFAULT_REGION: '', HOME: folder, ...more },
  });

it('list, show, status, verify and compare read a bucket as they read a folder', async () => {
  const listed = await run(['list', '--vault', vaultUrl, '--json']);
  expect(listed.stderr).toBe('');
  expect(listed.json<CatalogueEntry[]>().map(({ backupId }) => backupId)).toEqual([
    report.backupId,
  ]);

  const shown = await run(['show', 'latest', '--json'], { HOLDFAST_VAULT: vaultUrl });
  expect(shown.json()).toMatchObject({ backupId: report.backupId });
  expect(shown.stderr).toContain(`checked with the key ${signingKeyId} that ${vaultUrl} names`);

  const status = await run(['status', '--vault', vaultUrl, '--rpo', '1h', '--json']);
  expect(status.json<SourceStatus[]>()).toMatchObject([
    { source: 'shop', newest: report.backupId, isWithinRpo: true },
  ]);

  const verified = await run(['verify', '--vault', vaultUrl, '--json']);
  expect(verified).toMatchObject({ code: 0 });
  expect(verified.json()).toMatchObject({
    verdict: 'intact',
    depth: 'full',
    objects: report.objects,
  });
  expect(verified.stderr).toContain('Not recorded in the vault');

  const compared = await run(['compare', 'latest', database.url, '--vault', vaultUrl, '--json']);
  expect(compared).toMatchObject({ code: 0 });
  expect(compared.json()).toMatchObject({ verdict: 'identical' });
});

it('a replica is read with the keys of its own Region', async () => {
  const verified = await run(['verify', '--vault', replicaUrl, '--json']);
  expect(verified.json()).toMatchObject({ verdict: 'intact', backupId: report.backupId });
});

it('--env finds the vault and pins its signing keys, before the command or after it; --dr is the other Region', async () => {
  const shown = await run(['--env', environmentFile(), 'show', '--json']);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  const away = await run(['show', '--env', environmentFile(), '--dr', '--json']);
  expect(away).toMatchObject({ code: 0, stderr: '', stdout: shown.stdout });
});

it('a pinned key that did not sign is refused, whatever the vault says', async () => {
  const { PublicKey = new Uint8Array() } = await kmsClient().send(
    new GetPublicKeyCommand({ KeyId: await newSigningKey() }),
  );
  const good = await readFile(environmentFile());
  await writeEnvironment(Buffer.from(PublicKey).toString('base64'));
  const shown = await run(['--env', environmentFile(), 'show', '--json']);
  await writeFile(environmentFile(), good);
  expect(shown).toMatchObject({ code: 1 });
  expect(shown.json()).toMatchObject({ error: { name: 'SignatureInvalidError' } });
});

it('runs are on record in the workspace beside the vault', async () => {
  const failed = await run(['list', '--failed', '--vault', vaultUrl, '--json']);
  expect(failed.json()).toMatchObject([{ runId: failedRun, state: 'failed' }]);
  const reports = await run(['report', '--vault', vaultUrl, '--json']);
  expect(reports).toMatchObject({ code: 0 });
  expect(reports.json()).toEqual([]);
  const workspace = `s3://${names.workspaceBucket(primaryPlace)}`;
  const named = await run([
    'list',
    '--failed',
    '--vault',
    's3://another',
    '--workspace',
    workspace,
  ]);
  expect(named.stdout).toContain(failedRun);
  const unknown = await run(['report', '--vault', 's3://another', '--json']);
  expect(unknown).toMatchObject({ code: 2 });
  expect(unknown.json()).toMatchObject({ error: { hint: 'Give --workspace s3://BUCKET.' } });
});

it.each([
  {
    when: 'there is no such bucket',
    args: ['--vault', 's3://holdfast-there-is-none'],
    error: { name: 'VaultNotFoundError', message: 'There is no bucket holdfast-there-is-none.' },
  },
  {
    when: 'a path is named',
    args: ['--vault', 's3://bucket/path'],
    error: { name: 'UsageError', hint: expect.stringContaining('s3://BUCKET') },
  },
  {
    when: 'the Region is wrong',
    args: ['--vault', vaultUrl, '--region', 'us-west-2'],
    error: {
      name: 'UsageError',
      message: expect.stringContaining(`is in ${primaryRegion}`),
    },
  },
  {
    when: 'nobody is logged in',
    args: ['--vault', vaultUrl],
    more: {
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
      ...{ AWS_PROFILE: '' },
    },
    error: { name: 'AwsAccessDeniedError', hint: expect.stringContaining('Log in') },
  },
])('told when $when', async ({ args, more, error }) => {
  const answer = await run(['list', ...args, '--json'], more);
  expect(answer.json()).toMatchObject({ error });
  expect(answer.code).toBe(error.name === 'UsageError' ? 2 : 1);
});

it.each([
  { code: 'AccessDenied', hint: /rights on the bucket/ },
  { code: 'ExpiredToken', hint: /log in again/ },
  { code: 'InvalidAccessKeyId', hint: /sts get-caller-identity/ },
])('S3 says $code: told as a refusal, never as "no vault"', async ({ code, hint }) => {
  const faultOf = ({ method }: { method: string }): Fault => ({
    answer: method === 'HEAD' ? { status: 403 } : { status: 403, code },
  });
  await using proxy = await faultyProxy(faultOf);
  const answer = await run(['list', '--vault', vaultUrl, '--json'], {
    AWS_ENDPOINT_URL: proxy.endpoint,
  });
  expect(answer).toMatchObject({ code: 1 });
  expect(answer.json()).toMatchObject({
    error: {
      name: 'VaultAccessDeniedError',
      message: expect.stringContaining(code),
      hint: expect.stringMatching(hint),
    },
  });
});

it('what runs on this machine refuses a bucket and says how it is done on AWS', async () => {
  const args = [
    'backup',
    '--vault',
    vaultUrl,
    '--database',
    'postgresql://nobody@127.0.0.1:1/shop',
  ];
  const answer = await run([...args, '--json']);
  expect(answer).toMatchObject({ code: 2 });
  expect(answer.json()).toMatchObject({
    error: { name: 'UsageError', hint: expect.stringContaining('holdfast --env NAME backup') },
  });
});
