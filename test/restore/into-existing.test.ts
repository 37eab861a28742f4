import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutover } from '../../core/restore/cutover.ts';
import { bookkeepingSchemaOf } from '../../core/restore/progress.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { describeTable, type IntoHarness, lines, makeIntoHarness } from './into-harness.ts';
import { onServer, urlOf } from './shared-server.ts';

let into: IntoHarness;

beforeAll(async () => {
  into = await makeIntoHarness();
}, 60_000);

afterAll(async () => {
  await into[Symbol.asyncDispose]();
});

const orders = (database: string) => lines(database, 'SELECT * FROM shop.orders ORDER BY id');
const staged = async (database: string) =>
  lines(database, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%'`);

/** Rows 1 to 20 are gone, 21 to 30 were changed; the trigger would touch what is written. */
async function damaged(): Promise<string> {
  const database = await into.copy();
  await onServer(
    database,
    `ALTER TABLE shop.orders DISABLE TRIGGER USER;
     DELETE FROM shop.orders WHERE id <= 20;
     UPDATE shop.orders SET total = 0, note = 'damaged' WHERE id <= 30;
     ALTER TABLE shop.orders ENABLE ALWAYS TRIGGER orders_touch;`,
  );
  return database;
}

describe('rows of a table that is there', () => {
  test('error: one key that is there refuses all, with constraint and number and no values', async () => {
    const database = await damaged();
    const before = await orders(database);
    const failure = await into
      .restore(database, { tables: ['shop.orders'], onConflict: 'error' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'RowConflictError',
      message:
        '180 rows of the backup for shop.orders have a key that is there already (constraint orders_pkey).',
      hint: expect.stringContaining('--on-conflict'),
    });
    expect(JSON.stringify(failure)).not.toContain('(id)=');
    expect(await orders(database)).toEqual(before);
    expect(await staged(database)).toEqual([]);
  });

  test('error: rows whose keys are free are written, with --where', async () => {
    const database = await damaged();
    const selection = {
      tables: ['shop.orders'],
      onConflict: 'error',
      where: 'id <= 20 AND total > 0 -- all',
    };
    await into.restore(database, selection);
    expect(
      await lines(database, 'SELECT count(*), min(note) FROM shop.orders WHERE id <= 20'),
    ).toEqual(['20 order 1']);
    expect(
      await lines(database, `SELECT count(*) FROM shop.orders WHERE note = 'damaged'`),
    ).toEqual(['10']);
  });

  test('skip: rows that are there stay, missing ones come back', async () => {
    const database = await damaged();
    const { runId } = await into.restore(database, { tables: ['shop.orders'], onConflict: 'skip' });
    expect(await lines(database, 'SELECT count(*) FROM shop.orders WHERE id <= 20')).toEqual([
      '20',
    ]);
    expect(
      await lines(database, `SELECT count(*) FROM shop.orders WHERE note = 'damaged'`),
    ).toEqual(['10']);
    const key = workspaceKeys.restoreFact(runId, 'cutover');
    const fact = JSON.parse(
      Buffer.from((await into.deps.workspace.get(key))?.body ?? []).toString(),
    );
    expect(fact.merged).toEqual([
      { table: 'shop.orders', rows: 200, written: 20, different: 10, isNew: false },
    ]);
  });

  test('replace: rows become those of the backup, no trigger fires, and triggers are as they were', async () => {
    const database = await damaged();
    await onServer(
      database,
      `ALTER TABLE shop.orders DISABLE TRIGGER USER;
      INSERT INTO shop.orders VALUES (5000, 1, 1, 'newer'); ALTER TABLE shop.orders ENABLE ALWAYS TRIGGER orders_touch;`,
    );
    const definition = await describeTable(database, 'shop.orders');
    const pristine = await orders(await into.copy());
    await into.restore(database, { tables: ['shop.orders'], onConflict: 'replace' });
    expect(await lines(database, 'SELECT * FROM shop.orders WHERE id < 5000 ORDER BY id')).toEqual(
      pristine,
    );
    expect(await lines(database, 'SELECT note FROM shop.orders WHERE id = 5000')).toEqual([
      'newer',
    ]);
    expect(await describeTable(database, 'shop.orders')).toEqual(definition);
    const added = `INSERT INTO shop.orders (customer, total, note) VALUES (1, 1, 'x') RETURNING id, note`;
    expect(await lines(database, added)).toEqual(['5001 touched']);
  });

  test('identity, generated, enum, char(n), array and time columns keep their values', async () => {
    const database = await into.copy();
    const all = 'SELECT * FROM shop.customers ORDER BY id';
    const before = await lines(database, all);
    await onServer(database, 'DELETE FROM shop.orders; DELETE FROM shop.customers WHERE id > 40');
    await onServer(database, `SELECT setval('shop.customers_id_seq', 1)`);
    await into.restore(database, { tables: ['shop.customers'], onConflict: 'skip' });
    expect(await lines(database, all)).toEqual(before);
    const added = `INSERT INTO shop.customers (email) VALUES ('n') RETURNING id`;
    expect(await lines(database, added)).toEqual(['51']);
  });

  test('a sequence that is further on is not put back', async () => {
    const database = await damaged();
    await onServer(database, `SELECT setval('shop.orders_id_seq', 900)`);
    await into.restore(database, { tables: ['shop.orders'], onConflict: 'replace' });
    expect(await lines(database, `SELECT nextval('shop.orders_id_seq')`)).toEqual(['901']);
  });

  test('several tables are written parents first, in one transaction', async () => {
    const database = await into.copy();
    await onServer(
      database,
      'DELETE FROM shop.lines; DELETE FROM shop.orders; DELETE FROM shop.customers',
    );
    const selection = {
      tables: ['shop.lines', 'shop.orders', 'shop.customers'],
      onConflict: 'error',
    };
    await into.restore(database, selection);
    expect(
      await lines(
        database,
        'SELECT (SELECT count(*) FROM shop.lines), (SELECT count(*) FROM shop.orders) AS orders',
      ),
    ).toEqual(['400 200']);
  });

  test('rows that refer to missing ones are refused, also with allowOrphans, by a key that is in force', async () => {
    const database = await into.copy();
    await onServer(
      database,
      'DELETE FROM shop.orders WHERE customer <= 5; DELETE FROM shop.customers WHERE id <= 5',
    );
    const selection = { tables: ['shop.orders'], onConflict: 'skip', allowOrphans: true };
    await expect(into.restore(database, selection)).rejects.toThrow(
      expect.objectContaining({
        name: 'OrphanedRowsError',
        message: expect.stringMatching(/^20 rows of shop\.orders .*orders_customer_fkey/),
        hint: expect.stringContaining('cannot help'),
      }),
    );
    expect(await lines(database, 'SELECT count(*) FROM shop.orders')).toEqual(['180']);
  });

  test('a deferred constraint is checked before the commit, also of rows that are binary', async () => {
    expect(into.manifest.tables.find(({ name }) => name === 'tree')?.format).toBe('binary');
    const database = await into.copy();
    await onServer(database, 'DELETE FROM shop.tree WHERE id > 1; DELETE FROM shop.tree');
    await expect(
      into.restore(database, { tables: ['shop.tree'], onConflict: 'error', where: 'id = 3' }),
    ).rejects.toThrow(/^1 row of shop\.tree .*tree_up_fkey/);
    await into.restore(database, { tables: ['shop.tree'], onConflict: 'error' });
    expect(await lines(database, 'SELECT count(*) FROM shop.tree')).toEqual(['3']);
  });

  test('another unique constraint than the key refuses, also with replace', async () => {
    const database = await into.copy();
    await onServer(
      database,
      `DELETE FROM shop.orders; DELETE FROM shop.customers WHERE id = 7; UPDATE shop.customers SET email = 'c7@x' WHERE id = 9`,
    );
    await expect(
      into.restore(database, { tables: ['shop.customers'], onConflict: 'skip' }),
    ).rejects.toThrow(/customers_email_key/);
  });

  test('a value that the column does not take any more is refused and not told', async () => {
    const database = await into.copy();
    await onServer(
      database,
      'DELETE FROM shop.settings; ALTER TABLE shop.settings ALTER value TYPE int USING value::int',
    );
    await onServer(
      database,
      'ALTER TABLE shop.orders DROP CONSTRAINT sane, ADD CONSTRAINT sane CHECK (total < 100) NOT VALID',
    );
    await into.restore(database, { tables: ['shop.settings'], onConflict: 'error' });
    const failure = await into
      .restore(database, { tables: ['shop.orders'], onConflict: 'replace' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'RestoreStatementError',
      message: expect.stringContaining('sane'),
    });
    expect(JSON.stringify(failure)).not.toContain('Failing row');
  });
});

describe('a copy beside the original', () => {
  test('--as: columns, types, keys and rows; the original is not even locked', async () => {
    const database = await damaged();
    const before = await describeTable(database, 'shop.orders');
    await onServer(database, 'ALTER TABLE shop.orders DROP COLUMN made');
    const pristine = await orders(await into.copy());
    const client = new pg.Client({ connectionString: urlOf(database) });
    await client.connect();
    await client.query('BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE');
    try {
      await into.restore(database, { tables: ['shop.orders'], as: 'orders_then' });
    } finally {
      await client.end();
    }
    expect(await lines(database, 'SELECT * FROM shop.orders_then ORDER BY id')).toEqual(pristine);
    const copy = await describeTable(database, 'shop.orders_then');
    expect(copy).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^column total shop.amount t/),
        expect.stringMatching(/^constraint .*PRIMARY KEY \(id\)/),
        expect.stringMatching(/^constraint sane CHECK/),
      ]),
    );
    expect(copy.filter((line) => /^(trigger|policy|sequence|referenced)/.test(line))).toEqual([]);
    expect(before.length).toBeGreaterThan(copy.length);
  });

  test('--into-schema: each table under its own name, with --where', async () => {
    const database = await damaged();
    const original = await orders(database);
    await into.restore(database, { tables: ['shop.*'], intoSchema: 'look "here"' });
    expect(await lines(database, 'SELECT count(*) FROM "look ""here""".orders')).toEqual(['200']);
    expect(await lines(database, 'SELECT count(*) FROM "look ""here""".events_2')).toEqual(['20']);
    expect(
      await lines(database, 'SELECT shout FROM "look ""here""".customers WHERE id = 3'),
    ).toEqual(['C3@X']);
    expect(await orders(database)).toEqual(original);
    await into.restore(database, {
      tables: ['shop.orders'],
      intoSchema: 'chosen',
      where: `note = 'order 3'`,
    });
    expect(await lines(database, 'SELECT id FROM chosen.orders')).toEqual(['3']);
  });

  test('is refused where something is already', async () => {
    const database = await into.copy();
    await expect(into.restore(database, { tables: ['shop.orders'], as: 'lines' })).rejects.toThrow(
      /name that is free/,
    );
    await expect(into.restore(database, { tables: ['shop.orders'], as: 'orders' })).rejects.toThrow(
      /the original itself/,
    );
  });
});

describe('whatever dies', () => {
  test('a cutover that is done again after a lost answer changes nothing more', async () => {
    const database = await damaged();
    const { runId } = await into.restore(database, { tables: ['shop.orders'], onConflict: 'skip' });
    const after = await orders(database);
    await into.deps.workspace.delete(workspaceKeys.restoreFact(runId, 'cutover'));
    await expect(cutover(into.deps, { runId })).resolves.toEqual({
      database,
      previousDatabase: null,
    });
    expect(await orders(database)).toEqual(after);
  });

  test('staged rows that a crash of the server took are noticed', async () => {
    const database = await damaged();
    const before = await orders(database);
    const empty = async (runId: string) => {
      const schema = bookkeepingSchemaOf({ runId, input: { mode: 'into' } } as never);
      const [table] = await lines(
        database,
        `SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = '${schema}' AND relname ~ '^t[0-9]'`,
      );
      await onServer(database, `TRUNCATE ${table}`);
    };
    await expect(
      into.restore(database, { tables: ['shop.orders'], onConflict: 'skip' }, empty),
    ).rejects.toThrow(expect.objectContaining({ name: 'RestoreDifferentError' }));
    expect(await orders(database)).toEqual(before);
    expect(await staged(database)).toEqual([]);
  });
});
