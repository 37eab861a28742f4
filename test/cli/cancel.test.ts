import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { failRestore } from '../../core/restore/fail.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { expectNoSessions } from '../backup/harness.ts';
import { makeRestoreHarness, type RestoreHarness } from '../restore/harness.ts';
import { onServer } from '../restore/shared-server.ts';
import { killedIn, read } from '../run/clean-up-support.ts';
import { type CliResult, holdfast, startCli } from '../support/cli.ts';
import { sharedSettings } from '../support/postgres.ts';

vi.setConfig({ testTimeout: 180_000 });

let harness: RestoreHarness;
let env: Record<string, string>;
let target: string;
beforeAll(async () => {
  harness = await makeRestoreHarness('cli_cancel');
  const { vaultDirectory, keyFile } = harness.source;
  env = { HOLDFAST_VAULT: vaultDirectory, HOLDFAST_KEY_FILE: keyFile, HOME: vaultDirectory };
  const { host, port, user, password } = sharedSettings('postgres');
  target = `postgresql://${user}:${await password()}@${host}:${port}`;
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const cancel = (...args: string[]): Promise<CliResult> => holdfast(['cancel', ...args], { env });
const outcome = (runId: string) => read(harness.source.deps, `runs/${runId}/outcome.json`);

async function runIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const key of harness.source.deps.workspace.list('runs/')) {
    if (key.endsWith('/run.json')) ids.push(key.split('/')[1] as string);
  }
  return ids;
}

test('a backup that lives ends in order, by the beginning of its id, without a server being named', async () => {
  const { database } = harness.source;
  const before = new Set(await runIds());
  await database.client.query('BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE');
  const args = ['backup', '--source', 'shop', '--database', database.url, '--json'];
  const running = startCli(args, { env });
  try {
    await running.sawOnStderr(/taking the snapshot/);
    const runId = (await runIds()).find((id) => !before.has(id)) as string;
    const cancelled = await cancel(runId.slice(0, -2), '--json');
    expect(cancelled.json()).toMatchObject({
      ...{ machine: 'backup', runId, how: 'ended', state: 'failed', cleaned: null },
    });
    expect(cancelled.code).toBe(0);
    const result = await running.result;
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ error: { name: 'RunAbortedError' } });
    expect(JSON.stringify(result.json())).toContain('was cancelled by');
    const again = await cancel(runId);
    expect([again.code, again.stdout]).toEqual([
      0,
      `The backup ${runId} had ended before: failed.\n`,
    ]);
  } finally {
    await database.client.query('ROLLBACK');
  }
  await expectNoSessions(harness.source);
});

test('a drill that lives ends, its scratch database with it, and proves nothing', async () => {
  const before = await harness.databases();
  const slow = ['--check', 'slow=SELECT pg_sleep(90) IS NULL'];
  const running = startCli(['drill', 'latest', '--target', target, ...slow, '--json'], { env });
  const sleeping = () =>
    onServer(
      'postgres',
      `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(90)%' AND pid <> pg_backend_pid()`,
    );
  await expect.poll(async () => (await sleeping()).length, { timeout: 60_000 }).toBe(1);
  const runId = await drillId();
  const cancelled = await cancel(runId, '--json');
  expect(cancelled.json()).toMatchObject({
    machine: 'drill',
    runId,
    how: 'ended',
    state: 'failed',
  });
  expect((await running.result).code).toBe(1);
  expect(await harness.databases()).toEqual(before);
  const { vault } = harness.source.deps;
  for await (const { key } of vault.list('evidence/')) expect(key).not.toContain('proven');
});

async function drillId(): Promise<string> {
  for await (const key of harness.source.deps.workspace.list('restores/')) {
    if (key.endsWith('/facts/drill.json')) return key.split('/')[1] as string;
  }
  throw new Error('There is no drill.');
}

test('after a backup that was killed it cleans up, when it is told on which server', async () => {
  const runId = newRunId();
  const options = harness.source.options({ runId }, { options: { leaseSeconds: 3 } });
  await killedIn({ machine: 'backup', options }, 'DumpUnit');
  const nameless = await cancel(runId);
  expect(nameless.code).toBe(2);
  expect(nameless.stderr).toContain(`The process of backup ${runId} has died`);
  expect(nameless.stderr).toContain('--database');
  const elsewhere = await cancel(runId, '--database', 'postgresql://u@127.0.0.1:1/x');
  expect(elsewhere.code).toBe(2);
  expect(elsewhere.stderr).toContain('--database names 127.0.0.1:1');
  expect(await outcome(runId)).toBeUndefined();
  const cleaned = await cancel(runId, '--database', harness.source.database.url);
  expect(cleaned.code, cleaned.stderr).toBe(0);
  expect(cleaned.stdout).toContain(`The process of backup ${runId} had died. Cleaned up after it:`);
  await expectNoSessions(harness.source);
  expect(await outcome(runId)).toMatchObject({ state: 'failed', error: 'RunAbortedError' });
});

test('after a restore that was killed: its database is gone', async () => {
  const before = await harness.databases();
  const runId = newRunId();
  const restore = harness.options({ options: { leaseSeconds: 2 } }, { runId });
  await killedIn({ machine: 'restore', options: restore }, 'FinishRows');
  expect(await harness.databases()).not.toEqual(before);
  const cleaned = await cancel(runId, '--target', target, '--json');
  expect(cleaned.json()).toMatchObject({
    ...{ machine: 'restore', runId, how: 'dead', state: null },
    cleaned: { found: 'unended', troubles: [] },
  });
  expect(await harness.databases()).toEqual(before);
  const sessions = `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`;
  await expect.poll(() => onServer('postgres', sessions)).toEqual([]);
});

test('a restore that ended while its server was away: what it left goes when the server is named', async () => {
  const before = await harness.databases();
  const runId = newRunId();
  await killedIn({ machine: 'restore', options: harness.options({}, { runId }) }, 'FinishRows');
  const away: Deps = {
    ...harness.source.deps,
    connectionOf: async () => ({ ...sharedSettings('postgres'), port: 1 }),
  };
  const error = { Error: 'ConnectionLostError', Cause: '{"errorMessage":"it went away"}' };
  await failRestore(away, { runId, error });
  const [left] = (await harness.databases()).filter((name) => !before.includes(name));
  const nameless = await cancel(runId);
  expect([nameless.code, nameless.stderr]).toEqual([
    2,
    expect.stringContaining(`The restore ${runId} could not take away what it had made`),
  ]);
  const cleaned = await cancel(runId, '--target', target);
  expect([cleaned.code, cleaned.stdout]).toEqual([
    0,
    `The restore ${runId} had ended before: failed. Cleaned up after it:\n  database "${left}" dropped\n`,
  ]);
  expect(await harness.databases()).toEqual(before);
  const again = await cancel(runId);
  expect([again.code, again.stdout]).toEqual([
    0,
    `The restore ${runId} had ended before: failed.\n`,
  ]);
});

test('a run that is not there is wrong use, and so is an id that more than one begins with', async () => {
  const missing = await cancel('nobody');
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringContaining('There is no run "nobody" on record'),
  ]);
  const many = await cancel('2');
  expect([many.code, many.stderr]).toEqual([2, expect.stringContaining('"2" begins the ids of')]);
});
