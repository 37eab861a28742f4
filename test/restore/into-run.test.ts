/** Mode `into` as a whole: the state machine with its workers, as the command line runs it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { shopSql } from './into-harness.ts';
import { onServer, unique } from './shared-server.ts';

const role = unique('into_run_role');
let harness: RestoreHarness;

beforeAll(async () => {
  await onServer('postgres', `CREATE ROLE ${role}`);
  harness = await makeRestoreHarness('into_run', async (database) => {
    await database.query(shopSql(role));
    await database.query(
      `CREATE TABLE shop.big AS SELECT i AS id, md5(i::text) AS v FROM generate_series(1, 60000) i`,
    );
  });
}, 120_000);

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await onServer('postgres', `DROP ROLE ${role}`);
});

async function target(): Promise<string> {
  const name = harness.ownDatabase(unique('into_run'));
  await onServer('postgres', `CREATE DATABASE ${name} TEMPLATE template0`);
  await onServer(name, shopSql(role));
  return name;
}

const selected = (selection: object) => selection as never;

describe('a restore into a database', () => {
  test('brings a dropped table back, is compared, and reads that table only', async () => {
    const database = await target();
    await onServer(database, 'DROP TABLE shop.orders CASCADE');
    const report = await harness.restore({
      ...{ mode: 'into', database },
      selection: selected({ tables: ['shop.orders'] }),
    });
    expect(report).toMatchObject({
      ...{ state: 'succeeded', verdict: 'identical', mode: 'into', database, rows: 200 },
      ...{ previousDatabase: null, differences: [] },
      comparedTables: [{ table: 'shop.orders', rows: 200, targetRows: 200 }],
    });
    const { tables } = await manifest();
    const stored = tables.find(({ name }) => name === 'orders')?.storedBytes ?? 0;
    const all = tables.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    const definitions = await definitionBytes();
    expect(report.readBytes - definitions).toBeLessThanOrEqual(1.05 * stored);
    expect(all).toBeGreaterThan(5 * stored);
    expect(await onServer(database, 'SELECT FROM shop.orders')).toHaveLength(200);
  }, 60_000);

  test('that replaces takes a safety backup first, and says so', async () => {
    const database = await target();
    await onServer(
      database,
      `ALTER TABLE shop.orders DISABLE TRIGGER USER; UPDATE shop.orders SET note = 'damaged'`,
    );
    const report = await harness.restore({
      ...{ mode: 'into', database },
      selection: selected({ tables: ['shop.orders'], onConflict: 'replace' }),
    });
    expect(report).toMatchObject({ state: 'succeeded', safetyBackupId: expect.any(String) });
    expect(await onServer(database, `SELECT FROM shop.orders WHERE note = 'damaged'`)).toEqual([]);
  }, 60_000);

  test('that is refused leaves the target as it was, no schema of ours, and a report', async () => {
    const database = await target();
    const options = harness.options({
      ...{ mode: 'into', database },
      selection: selected({ tables: ['shop.customers'], onConflict: 'error' }),
    });
    await expect(harness.restore({}, options)).rejects.toMatchObject({ name: 'RowConflictError' });
    const schemas = await onServer(
      database,
      `SELECT FROM pg_namespace WHERE nspname LIKE 'holdfast%'`,
    );
    expect(schemas).toEqual([]);
    expect(await harness.read(`restores/${options.runId}/report.json`)).toMatchObject({
      state: 'failed',
      error: { name: 'RowConflictError' },
      database: null,
    });
  }, 60_000);

  test('that cannot work is refused by its preflight', async () => {
    const database = await target();
    await expect(
      harness.restore({
        ...{ mode: 'into', database },
        selection: selected({ tables: ['shop.orders'] }),
      }),
    ).rejects.toMatchObject({
      name: 'PreflightFailedError',
      message: expect.stringContaining('it has to be said what becomes of rows'),
    });
  }, 60_000);
});

const manifest = () => harness.source.manifest(harness.backupId);

async function definitionBytes(): Promise<number> {
  const { schema } = await manifest();
  return schema.reduce((sum, { segment }) => sum + segment.storedBytes, 0);
}
