import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { endWaiting } from '../../local/engine/idle-workers.ts';
import { WorkerPool } from '../../local/engine/pool.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { workspaceFolder } from '../../local/vault/directory-vault.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { collectThrown, nameOfRejection } from '../statemachines/thrown-names.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

const saw = collectThrown(import.meta.filename);

let database: TestDatabase;
let folder: string;
let pool: WorkerPool;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-pool-'));
  await initVault(join(folder, 'vault'), { keyFile: join(folder, 'key.json') });
  database = await testDatabase('pool');
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const makePool = (more: Partial<ConstructorParameters<typeof WorkerPool>[0]> = {}) =>
  new WorkerPool({
    vaultDirectory: join(folder, 'vault'),
    keyFile: join(folder, 'key.json'),
    connection: database.settings,
    jobs: 3,
    onProgress: () => undefined,
    ...more,
  });
beforeEach(() => {
  pool = makePool();
});
afterEach(() => pool.close());

const disposing = (of: WorkerPool) =>
  Object.assign(of, { [Symbol.asyncDispose]: () => of.close() });

const unknownUnit = { runId: 'none', unit: 0, part: 0 };
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the worker pool', () => {
  it('hands over what a handler threw: name, message, hint', async () => {
    await expect(pool.call('DumpUnit', unknownUnit)).rejects.toMatchObject({
      name: 'InternalError',
      message: expect.stringContaining('none'),
    });
    await expect(pool.call('DumpUnit', { runId: 'none' })).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringMatching(/input of DumpUnit is not allowed: .*unit/),
    });
  });

  it('ends the calls of a process that died with WorkerLostError, and starts another for the next call', async () => {
    await pool.call('DumpUnit', unknownUnit).catch(() => undefined);
    const [pid] = await pool.unitPids();
    const call = pool.call('DumpUnit', unknownUnit);
    process.kill(pid as number, 'SIGKILL');
    await expect(call).rejects.toMatchObject({
      name: 'WorkerLostError',
      retryable: true,
      evidence: { pid, how: 'SIGKILL' },
    });
    await expect(pool.call('DumpUnit', unknownUnit)).rejects.toMatchObject({
      name: 'InternalError',
    });
    expect(await pool.unitPids()).not.toContain(pid);
  });

  it('starts as many processes as two units each need, and none for nothing', async () => {
    expect(await pool.unitPids()).toEqual([]);
    await Promise.allSettled(
      Array.from({ length: 6 }, () => pool.call('VerifyUnit', { runId: 'none', object: 0 })),
    );
    expect(await pool.unitPids()).toHaveLength(2);
  });

  it('ends a call that does not come back, and its process', async () => {
    const slow = makePool({ callTimeoutMs: 1 });
    const name = await nameOfRejection(slow.call('DumpUnit', unknownUnit));
    expect(name).toBe('TaskTimedOutError');
    saw(name);
    await expect.poll(() => slow.unitPids(), { timeout: 30_000 }).toEqual([]);
    await slow.close();
  });

  it('tells why a worker cannot work at all', async () => {
    const keyless = makePool({ keyFile: join(folder, 'none.json') });
    await expect(keyless.call('Plan', {})).rejects.toMatchObject({ name: 'KeyFileMissingError' });
    await keyless.close();
  });

  it('leaves no process behind, and begins nothing after it was closed', async () => {
    await pool.call('DumpUnit', unknownUnit).catch(() => undefined);
    const pids = await pool.unitPids();
    await pool.close();
    expect(pids.map(isAlive)).toEqual([false]);
    await expect(pool.call('DumpUnit', unknownUnit)).rejects.toMatchObject({
      name: 'RunAbortedError',
    });
  });

  describe('whose run went well', () => {
    let sources = 0;
    const plan = (of: WorkerPool) => {
      // A source that is planned has a lease.
      const source = `pool-${sources++}`;
      const request = { source, requestedBy: { user: 'test', host: 'test' } };
      return of.call('Plan', { runId: newRunId(), request: backupInputSchema.parse(request) });
    };
    const leasesIn = (vault: string) => readdir(join(vault, workspaceFolder, 'leases'));
    afterEach(endWaiting);

    it('leaves its process to the next run of this program, which may have another vault and key', async () => {
      await plan(pool);
      const pids = await pool.allPids();
      await pool.release();
      expect(pids.map(isAlive)).toEqual([true]);

      const vaultDirectory = join(folder, 'other-vault');
      const keyFile = join(folder, 'other-key.json');
      await initVault(vaultDirectory, { keyFile });
      await using next = disposing(makePool({ vaultDirectory, keyFile }));
      await plan(next);
      expect(await next.allPids()).toEqual(pids);
      expect(await leasesIn(vaultDirectory)).toHaveLength(1);
    });

    it('leaves none in which something went wrong, and none with which a call is under way', async () => {
      await plan(pool);
      const [pid] = await pool.allPids();
      await pool.call('Plan', {}).catch(() => undefined);
      await pool.release();
      expect(isAlive(pid as number)).toBe(false);

      const busy = makePool();
      await plan(busy);
      const [other] = await busy.allPids();
      const call = plan(busy).catch((error: unknown) => error);
      await busy.release();
      expect(isAlive(other as number)).toBe(false);
      expect(await call).toMatchObject({ name: 'RunAbortedError' });
    });

    it('leaves none to a run that would have started it in another environment', async () => {
      await plan(pool);
      const pids = await pool.allPids();
      await pool.release();
      process.env.HOLDFAST_TEST_OTHER = '1';
      try {
        await using next = disposing(makePool());
        await plan(next);
        expect(await next.allPids()).not.toEqual(pids);
      } finally {
        delete process.env.HOLDFAST_TEST_OTHER;
      }
    });

    it('keeps no process when the program says that it ends', async () => {
      await plan(pool);
      const pids = await pool.allPids();
      await pool.release();
      await endWaiting();
      expect(pids.map(isAlive)).toEqual([false]);
    });
  });

  it.runIf(process.platform === 'linux')(
    'shows the password in no argument and no environment',
    async () => {
      const password = (await database.settings.password()) as string;
      process.env.PGPASSWORD = password;
      try {
        await pool.call('DumpUnit', unknownUnit).catch(() => undefined);
      } finally {
        delete process.env.PGPASSWORD;
      }
      const [pid] = await pool.unitPids();
      for (const file of ['cmdline', 'environ']) {
        expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toContain(password);
      }
    },
  );
});
