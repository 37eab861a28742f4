import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { openSession } from '../../core/postgres/session.ts';
import { readRestoreOutcome } from '../../core/report/outcome.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { failRestore } from '../../core/restore/fail.ts';
import {
  bookkeepingSchemaOf,
  createBookkeeping,
  creationMarkOf,
} from '../../core/restore/progress.ts';
import { targetLeaseOf } from '../../core/restore/target-lease.ts';
import { openTarget } from '../../core/restore/target-session.ts';
import { readNamedLease } from '../../core/run/named-lease.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { sharedSettings } from '../support/postgres.ts';
import { type CutoverHarness, makeCutoverHarness, makeWorkDatabase } from './cutover-harness.ts';
import { databases, onServer, unique } from './shared-server.ts';

let harness: CutoverHarness;
let deps: Deps;

beforeAll(async () => {
  harness = await makeCutoverHarness('fail');
  ({ deps } = harness);
});

afterAll(() => harness?.[Symbol.asyncDispose]());

async function planned(input: Record<string, unknown> = {}) {
  return harness.plan({ input, workDatabase: unique('work'), finalDatabase: unique('final') });
}

const error = { Error: 'TargetFullError', Cause: '{"errorMessage":"no space left"}' };

describe('a failed restore', () => {
  test('ends its sessions, drops what it made, frees the lease, leaves outcome and report', async () => {
    const run = await planned();
    await makeWorkDatabase(run);
    const worker = await openTarget(deps, run, 'unit-1');
    const result = await failRestore(deps, { runId: run.runId, error });
    expect(result).toMatchObject({ error: 'TargetFullError' });
    expect(JSON.parse(result.cause)).toMatchObject({ errorMessage: 'no space left' });
    expect(JSON.parse(result.cause).evidence).not.toHaveProperty('troubles');
    await expect(worker.query('SELECT 1')).rejects.toThrow();
    worker.destroy();
    expect(await databases([run.workDatabase])).toEqual([]);
    expect(await readRestoreOutcome(deps, run.runId)).toMatchObject({
      state: 'failed',
      error: { name: 'TargetFullError', message: 'no space left' },
    });
    const report = await deps.workspace.get(workspaceKeys.restoreReport(run.runId));
    expect(JSON.parse(Buffer.from(report?.body ?? []).toString())).toMatchObject({
      state: 'failed',
      database: null,
    });
    expect((await readNamedLease(deps, targetLeaseOf(run)))?.lease.isReleased).toBe(true);
  });

  test('is counted under its source; one that was not planned, under the one that it asked for, or none', async () => {
    const counted: unknown[] = [];
    const counting: Deps = { ...deps, metric: (...one) => counted.push(one) };
    const run = await planned();
    await failRestore(counting, { runId: run.runId, error });
    const request = { target: 'scratch', choice: { source: 'shop' } };
    await failRestore(counting, { runId: unique('unplanned'), error, request });
    await failRestore(counting, { runId: unique('unplanned'), error });
    expect(counted).toEqual([
      ['RestoreFailed', 1, { source: run.backup.source }],
      ['RestoreFailed', 1, { source: 'shop' }],
      ['RestoreFailed', 1, { source: 'unknown' }],
    ]);
  });

  test('of a dry run that was never planned is not counted: nothing was to be restored', async () => {
    const counted: unknown[] = [];
    const counting: Deps = { ...deps, metric: (...one) => counted.push(one) };
    const request = {
      target: 'scratch',
      choice: { source: 'shop', backup: 'nosuch' },
      dryRun: true,
    };
    await failRestore(counting, { runId: unique('unplanned'), error, request });
    expect(counted).toEqual([]);
  });

  test('says the same when it is told twice', async () => {
    const run = await planned();
    await makeWorkDatabase(run);
    const first = await failRestore(deps, { runId: run.runId, error });
    const other = { Error: 'ConnectionLostError', Cause: '{"errorMessage":"later"}' };
    await failRestore(deps, { runId: run.runId, error: other });
    expect(first.error).toBe('TargetFullError');
    expect(await readRestoreOutcome(deps, run.runId)).toMatchObject({
      error: { name: 'TargetFullError' },
    });
  });

  test.each(['of another run', 'of nobody'])(
    'keeps a database of the working name that is %s',
    async (whose) => {
      const run = await planned();
      await makeWorkDatabase(run);
      await onServer(
        run.workDatabase,
        whose === 'of nobody'
          ? 'DROP SCHEMA holdfast_restore CASCADE'
          : `UPDATE holdfast_restore.run SET run_id = 'x'`,
      );
      await failRestore(deps, { runId: run.runId, error });
      expect(await databases([run.workDatabase])).toEqual([run.workDatabase]);
    },
  );

  test('drops a database that it was stopped in making, closed as it is', async () => {
    const run = await planned();
    await onServer(
      'postgres',
      `CREATE DATABASE ${run.workDatabase} TEMPLATE template0 ALLOW_CONNECTIONS false CONNECTION LIMIT ${creationMarkOf(run)}`,
    );
    const { cause } = await failRestore(deps, { runId: run.runId, error });
    expect(JSON.parse(cause).evidence).not.toHaveProperty('troubles');
    expect(await databases([run.workDatabase])).toEqual([]);
  });

  test('drops nothing after the cutover, and has succeeded', async () => {
    const run = await planned();
    await makeWorkDatabase(run);
    await cutover(deps, { runId: run.runId });
    const { cause } = await failRestore(deps, { runId: run.runId, error });
    expect(await databases([run.finalDatabase])).toEqual([run.finalDatabase]);
    expect(JSON.parse(cause)).toMatchObject({
      errorMessage: 'no space left',
      hint: expect.stringContaining('its cutover was done'),
    });
    expect(await readRestoreOutcome(deps, run.runId)).toMatchObject({ state: 'succeeded' });
  });

  test('keeps a database that was renamed when nobody could say so, and tells of it', async () => {
    const run = await planned();
    await makeWorkDatabase(run);
    await cutover(deps, { runId: run.runId });
    await deps.workspace.delete(workspaceKeys.restoreFact(run.runId, 'cutover'));
    const { cause } = await failRestore(deps, { runId: run.runId, error });
    expect(await databases([run.finalDatabase])).toEqual([run.finalDatabase]);
    expect(JSON.parse(cause).hint).toContain(`${JSON.stringify(run.finalDatabase)} has what`);
  });

  test('of mode into drops its staging schema and nothing else', async () => {
    const database = unique('existing');
    await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE template0`);
    await onServer(database, 'CREATE TABLE kept (id int)');
    const input = { mode: 'into', database };
    const run = await harness.plan({ input, workDatabase: database });
    await using session = await openSession(sharedSettings(database), {
      applicationName: 'test',
      purpose: 'writer',
    });
    await createBookkeeping(session, run);
    await session.query(`CREATE TABLE ${bookkeepingSchemaOf(run)}.t0 (id text)`);
    await failRestore(deps, { runId: run.runId, error });
    const left = await session.query(
      `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%' UNION ALL SELECT relname FROM pg_class WHERE relname = 'kept'`,
    );
    expect(left).toEqual([{ nspname: 'kept' }]);
  });

  test('never throws: without a run, and with a server that is gone', async () => {
    expect(await failRestore(deps, { runId: 'nobody', error })).toMatchObject({
      error: 'TargetFullError',
    });
    const run = await planned();
    const unreachable = {
      ...deps,
      connectionOf: async () => ({ ...sharedSettings('postgres'), port: 1 }),
    };
    const result = await failRestore(unreachable, { runId: run.runId, error });
    expect(JSON.parse(result.cause).evidence.troubles).toEqual([
      expect.stringContaining('The target server could not be cleared'),
    ]);
    expect(await readRestoreOutcome(deps, run.runId)).toMatchObject({ state: 'failed' });
  });
});
