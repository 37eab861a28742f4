import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldfastError } from '../../core/contract/errors.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { expectNoSessions, fillShop } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let original: Record<string, unknown>;
beforeAll(async () => {
  harness = await makeRestoreHarness('run', async (database) => {
    await fillShop(database);
    await database.query(`
      CREATE TABLE orders (id int PRIMARY KEY, account int NOT NULL REFERENCES accounts, paid date);
      INSERT INTO orders SELECT i, i, '2026-01-01'::date + i FROM generate_series(1, 5000) i;
      CREATE INDEX orders_paid ON orders (paid);
      CREATE VIEW late AS SELECT * FROM orders WHERE paid > '2026-06-01';
      CREATE MATERIALIZED VIEW per_day AS SELECT paid, count(*) FROM orders GROUP BY paid;`);
  });
  original = await contentOf(harness.source.database.name);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

describe('a whole restore', { timeout: 180_000 }, () => {
  it('makes a new database that is identical, beside the old one', async () => {
    const report = await harness.restore();
    const { backupId } = harness;
    expect(report).toMatchObject({
      state: 'succeeded',
      verdict: 'identical',
      mode: 'new',
      backupId,
    });
    expect(report.database).toMatch(/_restore_/);
    expect(await contentOf(report.database as string)).toEqual(original);
    await expectNoSessions(harness.source);
    await onServer('postgres', `DROP DATABASE "${report.database}" WITH (FORCE)`);
  });

  it('swaps it in after a safety backup of what it replaces, which is kept aside', async () => {
    const live = harness.ownDatabase(`${harness.source.database.name}_live`);
    await onServer('postgres', `CREATE DATABASE ${live} TEMPLATE template0`);
    await onServer(live, 'CREATE TABLE worth_keeping AS SELECT 42 AS a');
    const report = await harness.restore({ mode: 'swap', database: live });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', database: live });
    expect(await contentOf(live)).toEqual(original);
    expect(await harness.databases()).toContain(report.previousDatabase);
    const safety = report.safetyBackupId as string;
    const [entry] = (await harness.source.catalogue()).filter((one) => one.backupId === safety);
    expect(entry).toMatchObject({ tier: 'safety', database: live, rows: 1 });
    expect(entry?.labels).toEqual({ restore: report.runId });
    expect(report.phases.safetyBackup).toBeGreaterThan(0);
  });

  it('swaps by a connection to the very database, whose safety backup is filed under its own name', async () => {
    const { name, settings: connection } = harness.source.database;
    const request = { mode: 'swap', database: name, disconnect: true } as const;
    const report = await harness.restore(request, { connection });
    expect(report.safetyBackupId).toMatch(/^shop-/);
    expect(await contentOf(name)).toEqual(original);
  });
});

describe('a dry run', { timeout: 180_000 }, () => {
  it('ends with the list of preflight, and leaves no lease, database or unfinished run', async () => {
    const before = await harness.databases();
    const report = await harness.restore({ dryRun: true });
    expect(report).toMatchObject({ kind: 'dry-run', state: 'checked', verdict: 'not-compared' });
    expect(report.preflight.map(({ check }) => check)).toContain('name-free');
    expect(await harness.databases()).toEqual(before);
  });

  it('tells what would fail, too, and does not fail', async () => {
    const report = await harness.restore({ dryRun: true, database: 'postgres' });
    const failed = report.preflight.filter(({ verdict }) => verdict === 'failed');
    expect(failed.map(({ check }) => check)).toEqual(['name-free']);
  });
});

describe('a restore that cannot work', { timeout: 180_000 }, () => {
  it('fails with what preflight found, touches nothing, and leaves a report', async () => {
    const error = await harness.restore({ database: 'postgres' }).then(
      () => {
        throw new Error('It did not fail.');
      },
      (thrown: HoldfastError) => thrown,
    );
    expect(error.name).toBe('PreflightFailedError');
    expect(error.message).toContain('There is a database "postgres" already.');
    const { runId, report } = error.evidence as { runId: string; report: string };
    expect(report).toBe(`restores/${runId}/report.json`);
    expect(await harness.read(report)).toMatchObject({ state: 'failed', verdict: 'not-compared' });
    expect(await onServer('postgres', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each([
    [{ selection: { tables: ['orders'] } }, /Mode new restores a whole database/],
    [{ mode: 'into' as const }, /needs the database to write into/],
  ])('is refused when it makes no sense: %j', async (input, message) => {
    await expect(harness.restore(input)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(message),
    });
  });
});

describe('a restore that is interrupted', { timeout: 180_000 }, () => {
  it.each(['LoadUnit', 'Build', 'CompareSchema'])(
    'in %s takes back what it has made, and the next one begins anew',
    async (state) => {
      const before = await harness.databases();
      const controller = new AbortController();
      const options = harness.options({}, { signal: controller.signal });
      const interrupted = runRestore({
        ...options,
        onProgress: (event) => {
          if (event.state === state) controller.abort();
        },
      });
      await expect(interrupted).rejects.toMatchObject({
        name: 'RunAbortedError',
        message: 'The run was interrupted.',
      });
      expect((await harness.databases()).sort()).toEqual(before.sort());
      const report = await harness.restore();
      expect(report.runId).not.toBe(options.runId);
      await onServer('postgres', `DROP DATABASE "${report.database}" WITH (FORCE)`);
    },
  );
});
