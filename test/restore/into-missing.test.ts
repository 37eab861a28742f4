import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { describeTable, type IntoHarness, lines, makeIntoHarness } from './into-harness.ts';
import { onServer } from './shared-server.ts';

let into: IntoHarness;

beforeAll(async () => {
  into = await makeIntoHarness();
}, 60_000);

afterAll(async () => {
  await into[Symbol.asyncDispose]();
});

const noBookkeeping = async (database: string) =>
  expect(
    await lines(database, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%'`),
  ).toEqual([]);

describe('a table that was dropped', () => {
  test('comes back with rows, keys, indexes, triggers, policies, rights, comments, sequence, and foreign keys to it', async () => {
    const database = await into.copy();
    const before = await describeTable(database, 'shop.orders');
    const rows = await lines(database, 'SELECT * FROM shop.orders ORDER BY id');
    await onServer(database, 'DROP TABLE shop.orders CASCADE');
    const { runId } = await into.restore(database, { tables: ['shop.orders'] });
    const key = workspaceKeys.restoreFact(runId, 'warnings-into');
    expect(Buffer.from((await into.deps.workspace.get(key))?.body ?? []).toString()).toContain(
      'Views on the restored tables are not there: shop.sums.',
    );
    expect(await describeTable(database, 'shop.orders')).toEqual(before);
    expect(await lines(database, 'SELECT * FROM shop.orders ORDER BY id')).toEqual(rows);
    expect(await lines(database, `SELECT nextval('shop.orders_id_seq')`)).toEqual(['201']);
    await noBookkeeping(database);
  });

  test('with an identity gets its sequence back, as it stood', async () => {
    const database = await into.copy();
    const before = await describeTable(database, 'shop.customers');
    await onServer(database, 'DROP TABLE shop.customers CASCADE');
    await into.restore(database, { tables: ['shop.customers'] });
    expect(await describeTable(database, 'shop.customers')).toEqual(before);
    const added = `INSERT INTO shop.customers (email) VALUES ('new') RETURNING id, shout`;
    expect(await lines(database, added)).toEqual(['51 NEW']);
  });

  test('with an odd name, and one that refers to itself, come back', async () => {
    const database = await into.copy();
    for (const table of ['shop."odd ""name.1"', 'shop.tree']) {
      const before = await describeTable(database, table);
      const rows = await lines(database, `SELECT * FROM ${table} ORDER BY 1`);
      await onServer(database, `DROP TABLE ${table}`);
      await into.restore(database, { tables: [table] });
      expect(await describeTable(database, table)).toEqual(before);
      expect(await lines(database, `SELECT * FROM ${table} ORDER BY 1`)).toEqual(rows);
    }
  });

  test('and its whole schema, types and functions too, come back', async () => {
    const database = await into.copy();
    const tables = ['customers', 'orders', 'lines', 'events', 'events_1', 'nokey', 'tree'];
    const all = () => Promise.all(tables.map((name) => describeTable(database, `shop.${name}`)));
    const before = await all();
    await onServer(database, 'DROP SCHEMA shop CASCADE');
    await into.restore(database, { schemas: ['shop'] });
    expect(await all()).toEqual(before);
    expect(await lines(database, `SELECT nspacl FROM pg_namespace WHERE nspname = 'shop'`)).toEqual(
      [expect.stringContaining(into.role)],
    );
    expect(await lines(database, 'SELECT count(*) FROM shop.lines')).toEqual(['400']);
  });

  test('that was a partition is attached again, with its indexes as parts of those of the whole', async () => {
    const database = await into.copy();
    const before = await describeTable(database, 'shop.events_1');
    await onServer(database, 'DROP TABLE shop.events_1');
    await into.restore(database, { tables: ['shop.events_1'] });
    expect(await describeTable(database, 'shop.events_1')).toEqual(before);
    expect(await lines(database, 'SELECT count(*) FROM shop.events')).toEqual(['51']);
  });

  test('that was partitioned comes back with all its partitions', async () => {
    const database = await into.copy();
    const all = async () => [
      await describeTable(database, 'shop.events'),
      await describeTable(database, 'shop.events_2'),
    ];
    const before = await all();
    await onServer(database, 'DROP TABLE shop.events');
    await into.restore(database, { tables: ['shop.events'] });
    expect(await all()).toEqual(before);
  });
});

describe('foreign keys that would be broken', () => {
  /** Rows 1 to 10 of the parent are gone, and so is the child. */
  async function damaged() {
    const database = await into.copy();
    await onServer(database, 'DROP TABLE shop.orders CASCADE');
    await onServer(database, 'DELETE FROM shop.customers WHERE id <= 10');
    return database;
  }

  test('are refused by name and number, and nothing is left', async () => {
    const database = await damaged();
    const failure = await into
      .restore(database, { tables: ['shop.orders'] })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'OrphanedRowsError',
      message: expect.stringMatching(/^40 rows of shop\.orders .*orders_customer_fkey/),
      hint: expect.stringContaining('--allow-orphans'),
    });
    expect(await lines(database, `SELECT to_regclass('shop.orders')`)).toEqual(['null']);
    expect(await lines(database, `SELECT to_regclass('shop.orders_id_seq')`)).toEqual(['null']);
  });

  test('are made NOT VALID with allowOrphans', async () => {
    const database = await damaged();
    await into.restore(database, { tables: ['shop.orders'], allowOrphans: true });
    expect(
      await lines(
        database,
        `SELECT conname, convalidated FROM pg_constraint WHERE conname ~ '(customer|order_id)_fkey'  ORDER BY 1`,
      ),
    ).toEqual(['lines_order_id_fkey true', 'orders_customer_fkey false']);
    await expect(
      onServer(database, 'INSERT INTO shop.orders (customer, total) VALUES (1, 1)'),
    ).rejects.toThrow(/orders_customer_fkey/);
  });

  test('of other tables to the one that came back are refused as well', async () => {
    const database = await into.copy();
    await onServer(database, 'DROP TABLE shop.orders CASCADE');
    await onServer(database, 'UPDATE shop.lines SET order_id = 999 WHERE id = 7');
    await expect(into.restore(database, { tables: ['shop.orders'] })).rejects.toThrow(
      /^1 row of shop\.lines .*lines_order_id_fkey/,
    );
    await into.restore(database, { tables: ['shop.orders'], allowOrphans: true });
    expect(await lines(database, 'SELECT count(*) FROM shop.orders')).toEqual(['200']);
  });

  test('to a table that is not there are refused, or left out', async () => {
    const database = await into.copy();
    await onServer(database, 'DROP TABLE shop.orders, shop.customers CASCADE');
    await expect(into.restore(database, { tables: ['shop.orders'] })).rejects.toThrow(
      expect.objectContaining({ name: 'OrphanedRowsError' }),
    );
    await into.restore(database, { tables: ['shop.orders'], allowOrphans: true });
    expect(
      await lines(
        database,
        `SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'shop.orders'::regclass`,
      ),
    ).toEqual([]);
  });
});
