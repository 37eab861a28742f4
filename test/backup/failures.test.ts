import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { WorkerPool } from '../../local/engine/pool.ts';
import { newRunId, runBackup } from '../../local/engine/run-backup.ts';
import { collectThrown, nameOfRejection } from '../statemachines/thrown-names.ts';
import { expectNothingLeft, fillShop, type Harness, makeHarness, waitsForLock } from './harness.ts';

const saw = collectThrown(import.meta.filename);

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('failures');
  await fillShop(harness.database);
});
afterAll(() => harness[Symbol.asyncDispose]());

const manyUnits = { options: { chunkBytes: 256 << 10 } };

describe('a backup whose workers are killed', () => {
  it('goes on with others and succeeds', async () => {
    let pool: WorkerPool | undefined;
    let killed: Promise<number> | undefined;
    const report = await runBackup(
      harness.options(
        {
          onPool: (made) => (pool = made),
          onProgress: ({ state }) => {
            if (state === 'DumpUnit') killed ??= killUnitWorkers(pool as WorkerPool);
          },
        },
        manyUnits,
      ),
    );
    expect(await killed).toBeGreaterThan(0);
    expect(report).toMatchObject({ state: 'published', rows: 20_003 });
    const manifest = await harness.manifest(report.backupId);
    const accounts = manifest.tables.find(({ name }) => name === 'accounts');
    expect(await harness.rowsOf(manifest, accounts as never)).toHaveLength(20_000);
  });
});

describe('a backup none of whose units gets on for longer than the holders wait', () => {
  it('keeps its snapshot, and goes on when the lock that they need is free', async () => {
    await using own = await makeHarness('waiting');
    await fillShop(own.database);
    await using blocker = await makeBlocker(own);
    let isBlocked: Promise<void> | undefined;
    const report = await own.runHere(
      async (state, _input, call) => {
        if (state === 'DumpUnit') {
          isBlocked ??= blocker.waitFor(9_000);
          await isBlocked;
        }
        return call();
      },
      undefined,
      { holdRoundSeconds: 2, ...manyUnits.options },
    );
    expect(report).toMatchObject({ state: 'published', rows: 20_003 });
    // It waited for all of its time, and no unit could have its lock meanwhile.
    expect(await blocker.outcome).toMatch(/statement timeout/);
  });
});

describe('a backup that fails', () => {
  let own: Harness;
  beforeEach(async () => {
    own = await makeHarness('failing');
    await fillShop(own.database);
    return () => own[Symbol.asyncDispose]();
  });

  it('because its unit workers die again and again publishes nothing and leaves no locks', async () => {
    const runId = newRunId();
    let isOver = false;
    let killer: Promise<void> | undefined;
    const result = runBackup(
      own.options(
        {
          runId,
          onPool: (pool) => {
            killer = (async () => {
              while (!isOver) {
                await killUnitWorkers(pool);
                await sleep(20);
              }
            })();
          },
        },
        manyUnits,
      ),
    );
    const name = await nameOfRejection(result);
    expect(name).toBe('WorkerLostError');
    saw(name);
    isOver = true;
    await killer;
    await expectNothingLeft(own, runId, 'WorkerLostError');
  });

  it('because a person ends it is recorded with that reason', async () => {
    const runId = newRunId();
    const controller = new AbortController();
    const result = runBackup(
      own.options(
        {
          runId,
          signal: controller.signal,
          onProgress: ({ state }) => {
            if (state !== 'DumpUnit') return;
            controller.abort(new HoldfastError('RunAbortedError', 'Ctrl-C was pressed.'));
          },
        },
        manyUnits,
      ),
    );
    await expect(result).rejects.toMatchObject({
      name: 'RunAbortedError',
      message: 'Ctrl-C was pressed.',
    });
    await expectNothingLeft(own, runId, 'RunAbortedError');
  });

  it('because another one is running says who, and does not disturb that', async () => {
    const runId = newRunId();
    let second: Promise<unknown> | undefined;
    const first = await own.runHere(async (state, _input, call) => {
      if (state === 'DumpUnit') {
        second ??= runBackup(own.options({ runId: 'second' })).catch((error) => error);
        await second;
      }
      return call();
    }, runId);
    expect(first).toMatchObject({ state: 'published' });
    expect(await second).toMatchObject({
      name: 'LeaseHeldError',
      message: expect.stringContaining(runId),
    });
    expect(await own.catalogue()).toHaveLength(1);
  });

  it('because its time was claimed before is a duplicate', async () => {
    const at = { scheduledAt: '2026-11-21T04:00:00Z' };
    await runBackup(own.options({}, at));
    await expect(runBackup(own.options({}, at))).rejects.toMatchObject({
      name: 'DuplicateRunError',
    });
    expect(await own.catalogue()).toHaveLength(1);
  });

  it('because our whole process was killed leaves holders that go by themselves, and the next one works', async () => {
    const { password, ...settings } = own.database.settings;
    const child = fork(new URL('./killed-backup.ts', import.meta.url), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.send({
      ...own.options(
        {},
        { options: { ...manyUnits.options, leaseSeconds: 3, holdRoundSeconds: 2 } },
      ),
      connection: { ...settings, password: await password() },
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect((await own.sessions()).some((name) => name.includes('/holder-'))).toBe(true);
    // The last sign of life (10 s), three rounds of 2 s of nobody, some for workers to see that their parent is gone.
    await expect.poll(own.sessions, { timeout: 60_000, interval: 200 }).toEqual([]);
    expect(await own.catalogue()).toEqual([]);
    expect(await runBackup(own.options())).toMatchObject({ state: 'published', rows: 20_003 });
  });
});

/** A session that queues an ALTER behind the holders, for a while: workers' NOWAIT locks fail meanwhile. */
async function makeBlocker(own: Harness) {
  const client = new pg.Client({ connectionString: own.database.url });
  client.on('error', () => undefined);
  await client.connect();
  let outcome: Promise<string> | undefined;
  return {
    get outcome() {
      return outcome;
    },
    /** Resolves when it has begun to wait. */
    async waitFor(milliseconds: number): Promise<void> {
      await client.query(`SET statement_timeout = ${milliseconds}`);
      outcome = client.query('ALTER TABLE accounts ADD COLUMN later int').then(
        () => 'done',
        (error: Error) => error.message,
      );
      await waitsForLock(own);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function killUnitWorkers(pool: WorkerPool): Promise<number> {
  const pids = await pool.unitPids();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}
