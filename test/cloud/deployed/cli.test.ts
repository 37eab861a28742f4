/** `holdfast --env NAME …`: the command line starts and follows executions of the deployment, as a process of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { BackupReport } from '../../../core/contract/catalogue.ts';
import type { RestoreReport } from '../../../core/contract/restore.ts';
import { type CliOptions, type CliResult, startCli } from '../../support/cli.ts';
import { temporaryFolders } from '../../support/temporary-folder.ts';
import { answerRightly, answerWith } from './disturb.ts';
import { environmentName } from './environment.ts';
import { connectTo, contentOf, fillShop } from './harness.ts';

const folders = temporaryFolders();
const file = () => join(inject('environments'), `${environmentName}.json`);
const { env } = inject('cloud');
const options: CliOptions = { env: { ...env, AWS_REGION: '', AWS_DEFAULT_REGION: '' } };
const begin = (...args: readonly string[]) => startCli(['--env', file(), ...args], options);
const run = (...args: readonly string[]): Promise<CliResult> => begin(...args).result;

interface Started {
  readonly executionArn: string;
  readonly runId: string;
  readonly status: string;
  readonly console: string;
}

let source: Awaited<ReturnType<typeof contentOf>>;
beforeAll(async () => {
  await fillShop();
  source = await contentOf('primary', 'shop');
});

/** As long as somebody has this table for himself, a backup waits for it in HoldSnapshot. */
let blocker: pg.Client | undefined;
async function block(): Promise<void> {
  blocker = await connectTo('primary', 'shop');
  await blocker.query('BEGIN; LOCK TABLE customer IN ACCESS EXCLUSIVE MODE');
}
async function unblock(): Promise<void> {
  await blocker?.end();
  blocker = undefined;
}
afterAll(unblock);

test('a backup is followed to its end, and a restore of it gives the same content', async () => {
  const backup = await run('backup', 'shop', '--label', 'release=1.2', '--json');
  expect(backup, backup.stderr).toMatchObject({ code: 0 });
  expect(backup.json<BackupReport>()).toMatchObject({ state: 'published', replica: 'replicated' });
  const { stderr } = backup;
  expect(stderr).toMatch(/Started shop-manual-\d{8}t\d{6}z-[0-9a-f]{8} in eu-central-1/);
  expect(stderr).toContain('https://eu-central-1.console.aws.amazon.com/states/home');
  for (const state of ['Plan', 'HoldSnapshot', 'DumpUnderSnapshot', 'Seal', 'Publish']) {
    expect(stderr).toMatch(new RegExp(`^ {2}${state} {2}[0-9.]+ s$`, 'm'));
  }
  expect(stderr).toMatch(/^ {2}VerifyUnits {2}[0-9.]+ s {2}units (\d+)\/\1$/m);

  const restore = await run(
    ...['restore', '--source', 'shop', '--label', 'release=1.2', '--target', 'scratch'],
    ...['--name', 'shop_by_cli', '--rto', '1h'],
  );
  expect(restore, restore.stderr).toMatchObject({ code: 0 });
  expect(restore.stdout).toContain(`Restored ${backup.json<BackupReport>().backupId}`);
  expect(restore.stdout).toMatch(/into database "shop_by_cli"[\s\S]*: identical/);
  expect(await contentOf('primary', 'shop_by_cli')).toEqual(source);
});

test('a drill goes to the target of the scheduled ones; its restore is told within it', async () => {
  const drill = await run('drill', '--source', 'shop', '--json');
  expect(drill, drill.stderr).toMatchObject({ code: 0 });
  expect(drill.json<RestoreReport>()).toMatchObject({
    kind: 'drill',
    state: 'succeeded',
    verdict: 'identical',
  });
  expect(drill.stderr).toMatch(/^ {4}PlanRestore {2}[\s\S]*^ {4}ReportRestore {2}/m);
  expect(drill.stderr).toMatch(/^ {4}LoadUnits {2}[0-9.]+ s {2}units (\d+)\/\1$/m);
  expect(drill.stderr).toMatch(/^ {2}RestoreToScratch {2}[\s\S]*^ {2}ConcludeDrill {2}/m);
});

test('a run that fails is told as on this machine: exit 1, the error and what to do', async () => {
  const missing = await run('drill', 'shop-19990101', '--source', 'shop', '--json');
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.json()).toMatchObject({
    error: { name: 'BackupNotFoundError', hint: expect.stringMatching(/\w/) },
  });

  const nowhere = await run(
    ...['restore', '--source', 'shop', '--target', 'scratch', '--name', 'nowhere'],
    ...['--mode', 'into', '--table', 'orders'],
  );
  expect(nowhere).toMatchObject({ code: 1, stdout: '' });
  expect(nowhere.stderr).toMatch(/! PlanRestore: PreflightFailedError/);
  // The list, each with its cure, as on one machine; and where the report is.
  expect(nowhere.stderr).toMatch(/^ok {7}server-reachable: /m);
  expect(nowhere.stderr).toMatch(/^FAILED {3}database-exists: .*nowhere.*\n {9}What to do: \S/m);
  expect(nowhere.stderr).toMatch(/^ {2}Report: s3:\/\/\S+\/report\.html$/m);
  const [, runId = ''] = /Started (\S+) in/.exec(nowhere.stderr) ?? [];
  const again = await run('follow', runId, '--json');
  expect(again.stderr).toMatch(/^FAILED {3}database-exists: /m);
  expect(again.json<{ error: object }>().error).toMatchObject({
    ...{ name: 'PreflightFailedError', runId },
    preflight: expect.arrayContaining([
      expect.objectContaining({ check: 'database-exists', verdict: 'failed' }),
    ]),
  });
  expect(nowhere.stderr).toMatch(/^PreflightFailedError: [\s\S]*nowhere[\s\S]*What to do: /m);
});

test('Step Functions that does not answer for a while is asked again', async () => {
  // As often as the client tries by itself, so that one look fails.
  const fault = { status: 503, error: 'ServiceUnavailable', times: 5 };
  await answerWith({ target: 'AWSStepFunctions.DescribeExecution', ...fault });
  const drill = await run('drill', 'shop-19990101', '--source', 'shop', '--json');
  await answerRightly();
  expect(drill.stderr).toMatch(/! states:DescribeExecution .*ServiceUnavailable.* asked again/);
  expect(drill.json()).toMatchObject({ error: { name: 'BackupNotFoundError' } });
});

test('Ctrl-C ends the following and not the run, which `follow` sees to its end', async () => {
  await block();
  const backup = begin('backup', 'shop', '--json');
  await backup.sawOnStderr(/^ {2}Plan {2}/m);
  backup.child.kill('SIGINT');
  const left = await backup.result;
  await unblock();
  expect(left).toMatchObject({ code: 1 });
  const { executionArn, runId, status } = left.json<Started>();
  expect(status).toBe('RUNNING');
  expect(left.stderr).toContain('the run goes on');
  expect(left.stderr).toContain(`holdfast follow ${executionArn}`);
  expect(left.stderr).toContain(`holdfast --env ${file()} cancel ${runId}`);

  // By its ARN no environment is needed.
  const followed = await startCli(['follow', executionArn, '--json'], options).result;
  expect(followed, followed.stderr).toMatchObject({ code: 0 });
  expect(followed.json()).toMatchObject({ state: 'published', runId });
  // Long after its end it is told again, by the beginning of its name.
  const again = await run('follow', runId.slice(0, -4));
  expect(again, again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout).toContain(': published');
  expect(again.stderr).toMatch(/^ {2}Plan {2}[\s\S]*^ {2}Report {2}/m);
});

test('--detach starts only; status lists what runs, cancel ends it', async () => {
  await block();
  const started = await run('backup', 'shop', '--detach', '--json');
  expect(started).toMatchObject({ code: 0, stderr: '' });
  const { executionArn, runId, console } = started.json<Started>();
  expect(console).toBe(
    `https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/${executionArn}`,
  );
  const status = await run('status');
  expect(status, status.stderr).toMatchObject({ code: 0 });
  expect(status.stdout).toMatch(/REPLICATED\s+PROVEN\s+RPO[^\n]*\nshop .* 2 h met /);
  expect(status.stdout).toMatch(new RegExp(`^Runs now:\n {2}backup ${runId} {2}since 20`, 'm'));

  const cancelled = await run('cancel', runId, '--json');
  await unblock();
  expect(cancelled, cancelled.stderr).toMatchObject({ code: 0 });
  expect(cancelled.json()).toMatchObject({
    ...{ machine: 'backup', runId, how: 'ended', state: 'ABORTED' },
    cleaned: { found: 'unended', troubles: [] },
  });
  const followed = await run('follow', executionArn, '--json');
  expect(followed).toMatchObject({ code: 1 });
  expect(followed.json()).toMatchObject({
    error: { name: 'RunAbortedError', message: expect.stringContaining(runId) },
  });
  const over = await run('cancel', executionArn);
  expect(over).toMatchObject({ code: 0 });
  expect(over.stdout).toContain(`The backup ${runId} had ended before: ABORTED.`);
});

test('a swap is confirmed by --yes, and its safety backup is told within it', async () => {
  const admin = await connectTo('primary', 'shop');
  await admin.query('DELETE FROM orders WHERE id % 2 = 0');
  await admin.end();
  const restore = await run(
    ...['restore', '--source', 'shop', '--target', 'scratch', '--name', 'shop'],
    ...['--mode', 'swap', '--disconnect', '--yes'],
  );
  expect(restore, restore.stderr).toMatchObject({ code: 0 });
  expect(restore.stderr).toMatch(/^ {4}VerifyUnits {2}[\s\S]*^ {2}SafetyBackup {2}/m);
  expect(restore.stdout).toMatch(/is kept as "[\s\S]*docs\/deploy\.md/);
  expect(await contentOf('primary', 'shop')).toEqual(source);
});

test('an environment that is not deployed, and a person who is not logged in, are told', async () => {
  const other = join(await folders(), 'other.json');
  const { default: environment } = await import(file(), { with: { type: 'json' } });
  await writeFile(other, JSON.stringify({ ...environment, name: 'other' }));
  const nothing = await startCli(['--env', other, 'backup', 'shop', '--json'], options).result;
  expect(nothing).toMatchObject({ code: 1 });
  expect(nothing.json()).toMatchObject({
    error: {
      name: 'DeploymentNotFoundError',
      hint: expect.stringContaining('npx cdk deploy --all -c env=other'),
    },
  });

  const nobody = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' };
  const lost = await startCli(['--env', file(), 'backup', 'shop', '--json'], {
    env: { ...options.env, ...nobody, AWS_EC2_METADATA_DISABLED: 'true', HOME: await folders() },
  }).result;
  expect(lost).toMatchObject({ code: 1 });
  expect(lost.json()).toMatchObject({
    error: { name: 'AwsAccessDeniedError', hint: expect.stringContaining('Log in') },
  });
});
