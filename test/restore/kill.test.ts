import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { WorkerPool } from '../../local/engine/pool.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { fillShop } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, onServer, type RestoreHarness } from './harness.ts';

let harness: RestoreHarness;
let original: Record<string, unknown>;
beforeAll(async () => {
  harness = await makeRestoreHarness('kill', async (database) => {
    await fillShop(database);
    await database.query(`
      CREATE TABLE orders (id int PRIMARY KEY, account int NOT NULL REFERENCES accounts, note text);
      INSERT INTO orders SELECT i, i, md5(i::text) FROM generate_series(1, 20000) i;
      CREATE INDEX orders_note ON orders (note);
      CREATE MATERIALIZED VIEW notes AS SELECT left(note, 1), count(*) FROM orders GROUP BY 1;`);
  });
  original = await contentOf(harness.source.database.name);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** So that a test does not wait for 10 s; a restore that lives renews it four times as often. */
const options = { leaseSeconds: 2 };

const states = [
  ...['PlanRestore', 'CreateTarget', 'LoadUnit', 'FinishRows', 'PlanBuilds', 'Build'],
  ...['CompareUnit', 'CompareSchema', 'RunChecks', 'Cutover', 'ReportRestore'],
];

async function expectIdentical(report: RestoreReport): Promise<void> {
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
  const database = report.database as string;
  expect(await contentOf(database)).toEqual(original);
  await expect
    .poll(() => onServer('postgres', sessionsOf(report.runId)), { timeout: 10_000 })
    .toEqual([]);
  await onServer('postgres', `DROP DATABASE "${database}" WITH (FORCE)`);
}

const outcomeOf = (runId: string) => `restores/${runId}/outcome.json`;

const sessionsOf = (runId: string) =>
  `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`;

describe('a restore whose worker processes are killed', () => {
  it.each(states)('in %s tries it again and is identical', async (state) => {
    let pool: WorkerPool | undefined;
    let isKilled = false;
    const onProgress = (event: { state: string }) => {
      if (event.state !== state || isKilled) return;
      isKilled = true;
      // Deep in it, or just after it: both must do.
      void sleep(Math.random() * 100).then(async () => {
        for (const pid of (await pool?.allPids()) ?? []) process.kill(pid, 'SIGKILL');
      });
    };
    const onPool = (opened: WorkerPool) => {
      pool = opened;
    };
    const report = await harness.restore({ options }, { onProgress, onPool });
    expect(isKilled).toBe(true);
    await expectIdentical(report);
  });
});

describe('a restore that is killed as a whole', () => {
  it.each(states.map((state) => [state, Math.round(Math.random() * 120)] as const))(
    'in %s after %i ms goes on with the same command, and is identical',
    async (state, milliseconds) => {
      const runId = newRunId();
      await killedIn(state, milliseconds, runId);
      // The last moment may have been too late: then it is done.
      const isOver = (await harness.read(outcomeOf(runId))) !== undefined;
      const report = isOver
        ? ((await harness.read(`restores/${runId}/report.json`)) as RestoreReport | undefined)
        : await harness.restore({ options });
      const isPlanned = (await harness.read(`restores/${runId}/run.json`)) !== undefined;
      if (isPlanned) expect(await harness.read(outcomeOf(runId))).toMatchObject({ runId });
      await expectIdentical(report as RestoreReport);
    },
  );

  it('is gone on with under its own run id, and not begun again', async () => {
    const runId = newRunId();
    await killedIn('CompareUnit', 0, runId);
    const messages: (string | undefined)[] = [];
    const report = await harness.restore(
      { options },
      { onProgress: ({ message }) => messages.push(message) },
    );
    expect(report.runId).toBe(runId);
    expect(messages.join()).toMatch(/was killed: waiting for its lease .*Going on with restore/);
    await expectIdentical(report);
  });
});

/** Starts a restore in a process of its own and kills it, and with it its workers, once it is in `state`. */
async function killedIn(state: string, milliseconds: number, runId: string): Promise<void> {
  const { connection, ...rest } = harness.options({ options }, { runId });
  const child = fork(join(import.meta.dirname, 'killed-restore.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const reached = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (message === state || typeof message !== 'string') resolve();
    });
  });
  child.send({ ...rest, connection: { ...connection, password: await connection.password() } });
  await reached;
  await sleep(milliseconds);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
