/** What the tests that kill a restore share: a database for which every state has work, and what must be in the end. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RestoreReport } from '../../core/contract/restore.ts';
import type { RunRestoreOptions } from '../../local/engine/run-restore.ts';
import { fillShop } from '../backup/harness.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import type { KilledOptions } from './killed-restore.ts';
import { onServer } from './shared-server.ts';

export const states = [
  ...['PlanRestore', 'CreateTarget', 'LoadUnit', 'FinishRows', 'PlanBuilds', 'Build'],
  ...['CompareUnit', 'CompareSchema', 'RunChecks', 'Cutover', 'ReportRestore'],
];

/** So that a test does not wait for 10 s; a restore that lives renews it in time. */
export const options = { leaseSeconds: 2 };

export interface Kills {
  readonly harness: RestoreHarness;
  expectIdentical(report: RestoreReport): Promise<void>;
}

export async function makeKills(name: string): Promise<Kills> {
  const harness = await makeRestoreHarness(name, fill);
  const original = await contentOf(harness.source.database.name);
  return {
    harness,
    async expectIdentical(report) {
      expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
      const database = report.database as string;
      expect(await contentOf(database)).toEqual(original);
      await expect.poll(() => onServer('postgres', sessionsOf(report.runId))).toEqual([]);
      await onServer('postgres', `DROP DATABASE "${database}" WITH (FORCE)`);
    },
  };
}

const sessionsOf = (runId: string) =>
  `SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${runId}/%'`;

async function fill(database: TestDatabase): Promise<void> {
  await fillShop(database);
  await database.query(`
    CREATE TABLE orders (id int PRIMARY KEY, account int NOT NULL REFERENCES accounts, note text);
    INSERT INTO orders SELECT i, i, md5(i::text) FROM generate_series(1, 20000) i;
    CREATE INDEX orders_note ON orders (note);
    CREATE MATERIALIZED VIEW notes AS SELECT left(note, 1), count(*) FROM orders GROUP BY 1;`);
}

/** Starts a restore in a process of its own and kills it, and with it its workers, some time after it came to `state`. */
export async function killedIn(
  options: RunRestoreOptions,
  state: string,
  milliseconds: number,
): Promise<void> {
  await killedWhen(options, async (child) => {
    await new Promise<void>((resolve) => {
      child.on('message', (message) => {
        if (message === state || typeof message !== 'string') resolve();
      });
    });
    await sleep(milliseconds);
  });
}

/** The same, at the very beginning of `state`. */
export async function killedAt(options: RunRestoreOptions, state: string): Promise<void> {
  const child = await startToKill({ ...options, lastState: state });
  // It has ended without having come there.
  child.on('message', (message) => typeof message === 'string' || child.kill('SIGTERM'));
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
}

/** The same, once something has happened. */
export async function killedWhen(
  options: RunRestoreOptions,
  happened: (child: ChildProcess) => Promise<unknown>,
): Promise<void> {
  const child = await startToKill(options);
  const exited = once(child, 'exit');
  try {
    await happened(child);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

async function startToKill({ connection, ...rest }: KilledOptions): Promise<ChildProcess> {
  const password = await connection.password();
  const child = fork(join(import.meta.dirname, 'killed-restore.ts'), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send({ ...rest, connection: { ...connection, password } });
  return child;
}
