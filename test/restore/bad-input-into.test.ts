/** Bad input: restores into a database that exists and whose rows say no. Each of its rows stays as it was. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectRefused, failedChecks, whileDamaged } from './bad-input.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

const shop = `
  CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL CONSTRAINT one_mail UNIQUE);
  INSERT INTO customers SELECT i, 'c' || i || '@x' FROM generate_series(1, 100) i;
  CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL CONSTRAINT has_customer REFERENCES customers, total int);
  INSERT INTO orders SELECT i, 1 + i % 100, i FROM generate_series(1, 400) i;
  CREATE TABLE lines (id int PRIMARY KEY, of_order int NOT NULL CONSTRAINT has_order REFERENCES orders);
  INSERT INTO lines SELECT i, 1 + i % 400 FROM generate_series(1, 800) i;`;

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('bad_into', async (database) => {
    await database.query(shop);
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

let copies = 0;
/** A copy of the shop in which `damage` has happened. */
async function damaged(damage: string): Promise<string> {
  copies += 1;
  const database = harness.ownDatabase(`${harness.source.database.name}_copy${copies}`);
  await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE template0`);
  await onServer(database, shop);
  await onServer(database, damage);
  return database;
}

type Selection = NonNullable<Parameters<RestoreHarness['restore']>[0]>['selection'];
const into = (database: string, selection: Selection) =>
  ({ mode: 'into', database, selection }) as const;

describe('a restore into a database is refused', { timeout: 180_000 }, () => {
  it('for a key that is there already, named with the number of rows and no value', async () => {
    const database = await damaged('DELETE FROM lines; DELETE FROM orders WHERE id > 390');
    const error = await expectRefused(
      harness,
      into(database, { tables: ['orders'], onConflict: 'error' }),
      {
        name: 'RowConflictError',
        message: /^390 rows .*public\.orders.*orders_pkey/,
        hint: /--on-conflict skip .*--on-conflict replace/,
        contents: [database],
        isBegun: true,
      },
    );
    expect(JSON.stringify([error.message, error.evidence])).not.toContain('(id)=');
  });

  it.each(['skip', 'replace'] as const)(
    'for another unique key than the primary one, with %s',
    async (onConflict) => {
      const database = await damaged(
        `DELETE FROM lines; DELETE FROM orders; DELETE FROM customers WHERE id = 7;
       UPDATE customers SET email = 'c7@x' WHERE id = 9;
       INSERT INTO customers VALUES (200, 'c9@x');`,
      );
      await expectRefused(harness, into(database, { tables: ['customers'], onConflict }), {
        name: 'RowConflictError',
        message: /public\.customers.*one_mail/,
        hint: /--as|--into-schema/,
        contents: [database],
        isBegun: true,
      });
    },
  );

  it('until somebody says what becomes of rows that are there', async () => {
    const database = await damaged('UPDATE orders SET total = 0');
    const error = await expectRefused(harness, into(database, { tables: ['orders'] }), {
      name: 'PreflightFailedError',
      message: /public\.orders exists/,
      hint: /Nothing was touched/,
      contents: [database],
      isBegun: true,
    });
    expect(failedChecks(error)[0]?.hint).toMatch(/--on-conflict/);
  });

  it('for rows whose parents are gone: the foreign key of a table that is there', async () => {
    const database = await damaged(
      'DELETE FROM lines; DELETE FROM orders WHERE customer <= 5; DELETE FROM customers WHERE id <= 5',
    );
    await expectRefused(harness, into(database, { tables: ['orders'], onConflict: 'skip' }), {
      name: 'OrphanedRowsError',
      message: /^20 rows of public\.orders .* rows of public\.customers that .*has_customer/,
      hint: /^Restore public\.customers, .* cannot help/,
      contents: [database],
      isBegun: true,
    });
  });

  it('for rows whose parents are gone: the foreign key of a table that was dropped, unless --allow-orphans', async () => {
    const database = await damaged(
      'DROP TABLE lines; DROP TABLE orders; DELETE FROM customers WHERE id <= 5',
    );
    await expectRefused(harness, into(database, { tables: ['orders'] }), {
      name: 'OrphanedRowsError',
      message: /^20 rows of public\.orders .* rows of public\.customers that .*has_customer/,
      hint: /^Restore public\.customers, .* --allow-orphans/,
      contents: [database],
      isBegun: true,
    });
    const report = await harness.restore(
      into(database, { tables: ['orders'], allowOrphans: true }),
    );
    expect(report.state).toBe('succeeded');
    expect(report.warnings.map(({ message }) => message).join()).toContain('has_customer');
    const keys = await onServer(
      database,
      `SELECT conname, convalidated FROM pg_constraint WHERE conname = 'has_customer'`,
    );
    expect(keys).toEqual([{ conname: 'has_customer', convalidated: false }]);
  });

  it('for a table that refers to one that is not there at all', async () => {
    const database = await damaged('DROP TABLE lines; DROP TABLE orders; DROP TABLE customers');
    await expectRefused(harness, into(database, { tables: ['orders'] }), {
      name: 'OrphanedRowsError',
      message: /has_customer of public\.orders .*not there/,
      hint: /--allow-orphans/,
      contents: [database],
      isBegun: true,
    });
  });

  it('for rows that others refer to: a deferred look does not let them go', async () => {
    const database = await damaged('DROP TABLE orders CASCADE; DELETE FROM customers WHERE id = 1');
    await expectRefused(harness, into(database, { tables: ['orders'] }), {
      name: 'OrphanedRowsError',
      message: /has_customer/,
      hint: /--allow-orphans/,
      contents: [database],
      isBegun: true,
    });
  });
});

describe('a restore into a database from a damaged vault', { timeout: 180_000 }, () => {
  it('writes no row, nor with replace', async () => {
    const database = await damaged('UPDATE orders SET total = 0');
    const before = await contentOf(database);
    await whileDamaged(
      harness,
      async ({ segmentOf, read, write }) => {
        const { key, offset, storedBytes } = segmentOf('orders');
        const body = await read(key);
        const at = offset + storedBytes - 1;
        body[at] = (body[at] ?? 0) ^ 1;
        await write(key, body);
      },
      () =>
        expectRefused(harness, into(database, { tables: ['orders'], onConflict: 'replace' }), {
          name: /^(Decryption|ObjectDamaged)Error$/,
          message: /backups\/shop\//,
          hint: /from a replica/,
          contents: [database],
          isBegun: true,
        }),
    );
    expect(await contentOf(database)).toEqual(before);
  });
});
