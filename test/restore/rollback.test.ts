/** What a rollback makes sure of before it renames or drops: the server, the names, and that nobody else works there. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { recordRestoreOutcome } from '../../core/report/outcome.ts';
import { cutoverBegunSchema } from '../../core/restore/cutover/database-facts.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { readFact, writeFact } from '../../core/restore/restore-run.ts';
import { discardPrevious, rollback } from '../../core/restore/rollback.ts';
import { releaseTargetLease, targetLeaseOf } from '../../core/restore/target-lease.ts';
import { readNamedLease, takeNamedLease } from '../../core/run/named-lease.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { requestedBy } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { type CutoverHarness, makeCutoverHarness, standingSwap } from './cutover-harness.ts';
import { databases, onServer, unique, urlOf } from './shared-server.ts';

let harness: CutoverHarness;
let deps: Deps;

beforeAll(async () => {
  harness = await makeCutoverHarness('rollback');
  ({ deps } = harness);
});

afterAll(() => harness?.[Symbol.asyncDispose]());

async function swapped(finalDatabase = unique('back')) {
  const run = await standingSwap(harness, finalDatabase);
  await cutover(deps, { runId: run.runId });
  await releaseTargetLease(deps, run);
  const names = [run.finalDatabase, run.workDatabase, run.previousDatabase];
  const unchanged = async () =>
    expect(await databases(names)).toEqual([run.finalDatabase, run.previousDatabase]);
  return { ...run, unchanged };
}

const both = (at: Deps, runId: string) => [
  () => rollback(at, runId, { disconnect: true }),
  () => discardPrevious(at, runId),
];

test.each([
  ['another port', { port: 1 }],
  ['another name of the host', { host: 'localhost' }],
])('a connection to %s is refused', async (_title, change) => {
  const run = await swapped();
  const elsewhere: Deps = {
    ...deps,
    connectionOf: async () => ({ ...sharedSettings('postgres'), ...change }),
  };
  for (const attempt of both(elsewhere, run.runId)) {
    await expect(attempt()).rejects.toMatchObject({
      name: 'RollbackImpossibleError',
      message: expect.stringContaining('this connection is to'),
    });
  }
  await run.unchanged();
});

test('another cluster at the same address is refused; one that was not noted is not asked for', async () => {
  const run = await swapped();
  const read = () => readFact(deps.workspace, run.runId, 'cutover-begun', cutoverBegunSchema);
  const begun = await read();
  const [{ id } = { id: '' }] = await onServer<{ id: string }>(
    'postgres',
    'SELECT system_identifier::text AS id FROM pg_control_system()',
  );
  expect(begun?.systemIdentifier).toBe(id);
  const rewrite = async (systemIdentifier: string | undefined) => {
    await deps.workspace.delete(workspaceKeys.restoreFact(run.runId, 'cutover-begun'));
    const { systemIdentifier: _, ...rest } = begun as NonNullable<typeof begun>;
    const fact = systemIdentifier === undefined ? rest : { ...rest, systemIdentifier };
    await writeFact(deps.workspace, run.runId, 'cutover-begun', cutoverBegunSchema, fact);
  };
  await rewrite('42');
  for (const attempt of both(deps, run.runId)) {
    await expect(attempt()).rejects.toThrow(/system identifier/);
  }
  await run.unchanged();
  await rewrite(undefined);
  await rollback(deps, run.runId, { disconnect: false });
});

test('an old database that was renamed since is not what comes back', async () => {
  const run = await swapped();
  const moved = `${run.previousDatabase}_archive`;
  harness.made.push(moved);
  await onServer('postgres', `ALTER DATABASE ${run.previousDatabase} RENAME TO ${moved}`);
  for (const attempt of both(deps, run.runId)) {
    await expect(attempt()).rejects.toMatchObject({
      name: 'RollbackImpossibleError',
      message: expect.stringContaining(moved),
    });
  }
  expect(await databases([run.finalDatabase, moved])).toEqual([run.finalDatabase, moved]);
});

test('is not done while a restore works on the database, and keeps one out that begins', async () => {
  const run = await swapped();
  const lease = targetLeaseOf(run);
  await takeNamedLease(deps, lease, { runId: 'other', leaseSeconds: 300, heldBy: requestedBy });
  for (const attempt of both(deps, run.runId)) {
    await expect(attempt()).rejects.toMatchObject({ name: 'LeaseHeldError' });
  }
  await run.unchanged();
  const found = await readNamedLease(deps, lease);
  expect(found?.lease).toMatchObject({ runId: 'other', isReleased: false });
  await deps.workspace.delete(lease.key);

  const held: unknown[] = [];
  const watching: Deps = {
    ...deps,
    connectionOf: async () => {
      const now = await readNamedLease(deps, lease);
      held.push([now?.lease.runId, now?.lease.isReleased]);
      return sharedSettings('postgres');
    },
  };
  await rollback(watching, run.runId, { disconnect: false });
  expect(held[0]).toEqual([run.runId, false]);
  expect((await readNamedLease(deps, lease))?.lease.isReleased).toBe(true);
});

test('is not done where another restore was killed, which can still be gone on with, or taken back', async () => {
  const run = await swapped();
  const other = await harness.plan({
    input: { mode: 'swap' },
    ...{ workDatabase: unique('other'), finalDatabase: run.finalDatabase },
  });
  const lease = targetLeaseOf(run);
  const later = { ...deps, now: () => new Date(Date.now() + 3_600_000) };
  for (const attempt of both(later, run.runId)) {
    await expect(attempt()).rejects.toMatchObject({
      ...{
        name: 'LeaseHeldError',
        hint: expect.stringContaining(`holdfast cancel ${other.runId}`),
      },
    });
  }
  expect((await readNamedLease(deps, lease))?.lease.runId).toBe(other.runId);
  await run.unchanged();
  // It has ended, and could not give its lease free.
  await recordRestoreOutcome(deps, {
    ...{ runId: other.runId, state: 'failed', finishedAt: new Date().toISOString(), error: null },
  });
  await rollback(later, run.runId, { disconnect: false });
});

test('is done where a restore was killed before it wrote anything down but its lease', async () => {
  const run = await swapped();
  const lease = targetLeaseOf(run);
  await takeNamedLease(deps, lease, { runId: 'nobody', leaseSeconds: 10, heldBy: requestedBy });
  const later = { ...deps, now: () => new Date(Date.now() + 3_600_000) };
  await rollback(later, run.runId, { disconnect: false });
});

test('puts the restored one aside under a name that the server does not cut', async () => {
  const finalDatabase = `${unique('b')}${'é'.repeat(22)}x`;
  const run = await swapped(finalDatabase);
  expect(Buffer.byteLength(run.workDatabase)).toBe(63);
  await onServer('postgres', `CREATE DATABASE "${run.workDatabase}" TEMPLATE template0`);
  const { putAside } = await rollback(deps, run.runId, { disconnect: false });
  harness.made.push(putAside);
  expect(await databases([putAside])).toEqual([putAside]);
});

const isOpen = async (name: string) => {
  const sql = 'SELECT datallowconn AS "is" FROM pg_database WHERE datname = $1';
  return (await onServer<{ is: boolean }>('postgres', sql, [name]))[0]?.is;
};

describe('a rollback that does not come to its end', () => {
  test('leaves the database open that an earlier one, which was killed, has closed', async () => {
    const run = await swapped();
    await onServer(run.finalDatabase, 'CREATE TABLE since AS SELECT 1 AS id');
    const client = new pg.Client({ connectionString: urlOf(run.finalDatabase) });
    await client.connect();
    try {
      await onServer('postgres', `ALTER DATABASE ${run.finalDatabase} ALLOW_CONNECTIONS false`);
      await expect(rollback(deps, run.runId, { disconnect: false })).rejects.toMatchObject({
        name: 'TargetInUseError',
      });
    } finally {
      await client.end();
    }
    expect(await isOpen(run.finalDatabase)).toBe(true);
    await run.unchanged();
  });

  test('opens it again when it is interrupted while it closes it', async () => {
    const run = await swapped();
    const controller = new AbortController();
    const other = new pg.Client({ connectionString: urlOf('postgres') });
    await other.connect();
    try {
      await other.query(`BEGIN; ALTER DATABASE ${run.finalDatabase} CONNECTION LIMIT 9`);
      const options = { disconnect: true, signal: controller.signal };
      const going = expect(rollback(deps, run.runId, options)).rejects.toThrow('interrupted');
      const waiting = () =>
        onServer(
          'postgres',
          `SELECT FROM pg_stat_activity WHERE query ~ 'ALLOW_CONNECTIONS false' AND wait_event_type = 'Lock'
              AND pg_catalog.starts_with(application_name, $1)`,
          [`holdfast/${run.runId}/`],
        );
      await expect.poll(waiting).toHaveLength(1);
      controller.abort(new Error('interrupted'));
      await other.query('ROLLBACK');
      await going;
    } finally {
      await other.end();
    }
    expect(await isOpen(run.finalDatabase)).toBe(true);
    await run.unchanged();
  });
});
