import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { type DatabaseIdentity, databaseNamed } from '../../core/restore/cutover/database-facts.ts';
import { exchange } from '../../core/restore/cutover/exchange.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { failRestore } from '../../core/restore/fail.ts';
import { discardPrevious, rollback } from '../../core/restore/rollback.ts';
import { openTarget } from '../../core/restore/target-session.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type CutoverHarness, makeCutoverHarness, standingSwap } from './cutover-harness.ts';
import { databases, onServer, unique, urlOf } from './shared-server.ts';

let harness: CutoverHarness;
let deps: Deps;

beforeAll(async () => {
  harness = await makeCutoverHarness('swap');
  ({ deps } = harness);
});

afterAll(() => harness?.[Symbol.asyncDispose]());

/** A restore of mode swap that stands before its cutover, and the old database with a table `old`. */
async function standing(input: Record<string, unknown> = {}) {
  const run = await standingSwap(harness, unique('live'), input);
  await onServer(run.finalDatabase, 'CREATE TABLE old AS SELECT 1 AS id');
  return run;
}

const tablesOf = async (database: string): Promise<string[]> => {
  const rows = await onServer<{ name: string }>(
    database,
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  return rows.map(({ name }) => name);
};
const isOpen = async (name: string) =>
  (
    await onServer<{ is: boolean }>(
      'postgres',
      'SELECT datallowconn AS is FROM pg_database WHERE datname = $1',
      [name],
    )
  )[0]?.is;

async function connected(database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: urlOf(database), application_name: 'the shop' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('a swap', () => {
  test('puts the restored database in the place of the old one, which is kept and closed', async () => {
    const run = await standing();
    const { finalDatabase, previousDatabase, workDatabase } = run;
    expect(await cutover(deps, { runId: run.runId })).toEqual({
      database: finalDatabase,
      previousDatabase,
    });
    expect(await databases([finalDatabase, previousDatabase, workDatabase])).toEqual([
      finalDatabase,
      previousDatabase,
    ]);
    expect(await tablesOf(finalDatabase)).toEqual(['restored']);
    expect(await isOpen(previousDatabase)).toBe(false);
    await expect(tablesOf(previousDatabase)).rejects.toThrow(/not currently accepting connections/);
  });

  test('is refused with sessions on the old one, names them, and leaves them alone', async () => {
    const run = await standing();
    const client = await connected(run.finalDatabase);
    try {
      const [{ pid }] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))
        .rows as [{ pid: number }];
      const failure = await cutover(deps, { runId: run.runId }).catch((error: unknown) => error);
      expect(failure).toMatchObject({
        name: 'TargetInUseError',
        hint: expect.stringContaining('--disconnect'),
      });
      expect(String(failure)).toContain(`pid ${pid} (user postgres, the shop)`);
      await client.query('SELECT 1');
      expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
      expect(await isOpen(run.finalDatabase)).toBe(true);
    } finally {
      await client.end();
    }
  });

  test('works against clients that reconnect all the time, and both have a database at any moment', async () => {
    const run = await standing({ disconnect: true });
    const seen = new Set<string>();
    let stop = false;
    let connections = 0;
    const clients = Array.from({ length: 4 }, async () => {
      while (!stop) {
        try {
          const client = await connected(run.finalDatabase);
          connections += 1;
          try {
            for (;;) {
              const { rows } = await client.query(
                `SELECT relname FROM pg_class WHERE relname IN ('old', 'restored')`,
              );
              seen.add(rows.map(({ relname }) => relname).join('+'));
              if (stop) break;
              await sleep(2);
            }
          } finally {
            await client.end().catch(() => undefined);
          }
        } catch (error) {
          // Closed for a moment, or ended; never gone (3D000), but for who came in the very transaction of the renames.
          const { code, detail } = error as pg.DatabaseError;
          if (code === '3D000' && !/just been dropped or renamed/.test(detail ?? '')) {
            seen.add('no database');
          }
          await sleep(1);
        }
      }
    });
    await expect.poll(() => connections >= 4 && seen.has('old')).toBe(true);
    await cutover(deps, { runId: run.runId });
    await expect.poll(() => seen.has('restored')).toBe(true);
    stop = true;
    await Promise.all(clients);
    expect([...seen].sort()).toEqual(['old', 'restored']);
    expect(connections).toBeGreaterThan(4);
  });

  test('that fails in the rename leaves the old one open and under its name', async () => {
    const run = await standing({ disconnect: true });
    await onServer('postgres', `CREATE DATABASE ${run.previousDatabase} TEMPLATE template0`);
    await expect(cutover(deps, { runId: run.runId })).rejects.toThrow(
      expect.objectContaining({ name: 'TargetExistsError' }),
    );
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
    expect(await isOpen(run.finalDatabase)).toBe(true);
    await failRestore(deps, { runId: run.runId, error: { Error: 'TargetExistsError', Cause: '' } });
    expect(await databases([run.workDatabase, run.finalDatabase])).toEqual([run.finalDatabase]);
  });

  test('whose second rename fails takes the first one back', async () => {
    const run = await standing();
    // The server refuses to rename the one that the session is in.
    await using session = await openTarget(deps, run, 'test');
    const old = (await databaseNamed(session, run.finalDatabase)) as DatabaseIdentity;
    const attempt = exchange(session, {
      runId: run.runId,
      leaving: { database: old, newName: run.previousDatabase },
      entering: (await databaseNamed(session, run.workDatabase)) as DatabaseIdentity,
      disconnect: true,
    });
    await expect(attempt).rejects.toThrow(/current database cannot be renamed/);
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
    expect(await isOpen(run.finalDatabase)).toBe(true);
  });

  test('whose answer was lost is recognised by what the server has', async () => {
    const run = await standing();
    await cutover(deps, { runId: run.runId });
    await deps.workspace.delete(workspaceKeys.restoreFact(run.runId, 'cutover'));
    expect(await cutover(deps, { runId: run.runId })).toEqual({
      database: run.finalDatabase,
      previousDatabase: run.previousDatabase,
    });
    expect(await tablesOf(run.finalDatabase)).toEqual(['restored']);
  });

  test('opens the old one again when a worker died after closing it', async () => {
    const run = await standing();
    const holder = await connected(run.finalDatabase);
    await cutover(deps, { runId: run.runId }).catch(() => undefined);
    await holder.end();
    await onServer('postgres', `ALTER DATABASE ${run.finalDatabase} ALLOW_CONNECTIONS false`);
    await failRestore(deps, { runId: run.runId, error: { Error: 'WorkerLostError', Cause: '' } });
    expect(await isOpen(run.finalDatabase)).toBe(true);
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
    expect(await databases([run.workDatabase])).toEqual([]);
  });

  test('when the connection names the very database is done from another one', async () => {
    const run = await standing();
    const direct = {
      ...deps,
      connectionOf: async () => ({ ...(await deps.connectionOf('')), database: run.finalDatabase }),
    };
    await cutover(direct, { runId: run.runId });
    expect(await tablesOf(run.finalDatabase)).toEqual(['restored']);
  });
});

describe('rollback', () => {
  const swapped = async () => {
    const run = await standing();
    await cutover(deps, { runId: run.runId });
    return run;
  };

  test('gives the old database its name back and puts the restored one aside; twice is once', async () => {
    const run = await swapped();
    const expected = {
      database: run.finalDatabase,
      restored: run.previousDatabase,
      putAside: run.workDatabase,
    };
    expect(await rollback(deps, run.runId, { disconnect: false })).toEqual(expected);
    expect(await rollback(deps, run.runId, { disconnect: false })).toEqual(expected);
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
    expect(await isOpen(run.finalDatabase)).toBe(true);
    expect(await isOpen(run.workDatabase)).toBe(false);
    await expect(discardPrevious(deps, run.runId)).rejects.toThrow(/is not dropped/);
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
  });

  test('ends sessions only when it may', async () => {
    const run = await swapped();
    const client = await connected(run.finalDatabase);
    await expect(rollback(deps, run.runId, { disconnect: false })).rejects.toThrow(
      expect.objectContaining({ name: 'TargetInUseError' }),
    );
    expect(await tablesOf(run.finalDatabase)).toEqual(['restored']);
    await rollback(deps, run.runId, { disconnect: true });
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(await tablesOf(run.finalDatabase)).toEqual(['old']);
  });

  test('is impossible once the old one is discarded', async () => {
    const run = await swapped();
    expect(await discardPrevious(deps, run.runId)).toEqual({ dropped: run.previousDatabase });
    expect(await databases([run.previousDatabase])).toEqual([]);
    for (const attempt of [
      () => rollback(deps, run.runId, { disconnect: true }),
      () => discardPrevious(deps, run.runId),
    ]) {
      await expect(attempt()).rejects.toThrow(
        expect.objectContaining({ name: 'RollbackImpossibleError' }),
      );
    }
    expect(await tablesOf(run.finalDatabase)).toEqual(['restored']);
  });

  test('does not touch a database that somebody else put under the name', async () => {
    const run = await swapped();
    const { finalDatabase } = run;
    harness.made.push(`${finalDatabase}_moved`);
    await onServer('postgres', `ALTER DATABASE ${finalDatabase} RENAME TO ${finalDatabase}_moved`);
    await onServer('postgres', `CREATE DATABASE ${finalDatabase} TEMPLATE template0`);
    await expect(rollback(deps, run.runId, { disconnect: true })).rejects.toThrow(
      /is not the database that/,
    );
    expect(await tablesOf(finalDatabase)).toEqual([]);
  });

  test('is impossible for what was no swap, or never came to its cutover', async () => {
    const before = await standing();
    for (const runId of ['nobody', before.runId]) {
      await expect(rollback(deps, runId, { disconnect: true })).rejects.toThrow(
        expect.objectContaining({ name: 'RollbackImpossibleError' }),
      );
    }
  });
});
