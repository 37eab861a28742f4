import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../local/engine/pool.ts';
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
