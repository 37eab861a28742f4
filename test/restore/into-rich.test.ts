/** Mode `into` with everything that a schema can have: dropped as a whole, and brought back table by table. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { describeTable, lines } from './into-harness.ts';
import { onServer, unique } from './shared-server.ts';

let harness: RestoreHarness;

beforeAll(async () => {
  harness = await makeRestoreHarness('into_rich', async (database: TestDatabase) => {
    await database.query(richSchema(18));
    await withoutSubscriptions(database.name);
  });
}, 120_000);

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
});

/** A database with a subscription cannot be dropped. */
async function withoutSubscriptions(database: string): Promise<void> {
  for (const name of await lines(
    database,
    `SELECT quote_ident(subname) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()`,
  )) {
    await onServer(database, `ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
    await onServer(database, `DROP SUBSCRIPTION ${name}`);
  }
}

const tablesOf = (database: string) =>
  lines(
    database,
    `SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname IN ('shop', 'odd "names"') AND relkind IN ('r', 'p') ORDER BY 1`,
  );

test('all tables of a rich schema come back as they were', async () => {
  const database = harness.ownDatabase(unique('into_rich'));
  await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE template0`);
  await onServer(database, richSchema(18));
  await withoutSubscriptions(database);
  const tables = await tablesOf(database);
  const before = new Map<string, string[]>();
  for (const table of tables) before.set(table, await describeTable(database, table));
  for (const table of tables) await onServer(database, `DROP TABLE IF EXISTS ${table} CASCADE`);
  const report = await harness.restore({
    ...{ mode: 'into', database },
    selection: { schemas: ['shop', '"odd ""names"""'] } as never,
  });
  expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
  expect(await tablesOf(database)).toEqual(tables);
  for (const table of tables)
    expect(await describeTable(database, table)).toEqual(before.get(table));
}, 120_000);
