import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { compare, live, shop, unexpected } from './support.ts';

let left: TestDatabase;
let right: TestDatabase;
beforeAll(async () => {
  left = await testDatabase('compare_left');
  right = await testDatabase('compare_right');
  await left.query(shop);
  await right.query(shop);
});
afterAll(async () => {
  await left?.drop();
  await right?.drop();
});

/** Changes the right side, compares, and changes it back. */
async function compareAfter(change: string, back: string, options = {}) {
  await right.query(change);
  try {
    return await compare(live(left), live(right), options);
  } finally {
    await right.query(back);
  }
}

describe('two live databases', () => {
  it('that hold the same are identical, with every table counted', async () => {
    const comparison = await compare(live(left), live(right));
    expect(comparison).toMatchObject({ verdict: 'identical', differences: [] });
    expect(comparison.tables.map(({ table }) => table).sort()).toEqual(
      ['customers', 'keyless', 'orders', 'parts_1', 'parts_2'].map((name) => `public.${name}`),
    );
    expect(comparison.tables.find(({ table }) => table === 'public.customers')).toMatchObject({
      rows: 5000,
      targetRows: 5000,
    });
  });

  it('leave the bookkeeping of a restore out', async () => {
    const comparison = await compareAfter(
      'CREATE SCHEMA holdfast_restore; CREATE TABLE holdfast_restore.progress (item text PRIMARY KEY)',
      'DROP SCHEMA holdfast_restore CASCADE',
    );
    expect(comparison).toMatchObject({ verdict: 'identical', differences: [] });
  });

  it('name the key of a changed, a missing and an added row', async () => {
    const comparison = await compareAfter(
      `UPDATE customers SET paid = 7 WHERE id = 17; DELETE FROM customers WHERE id = 4000;
       INSERT INTO customers VALUES (9001, 'new', 1); UPDATE orders SET at = 'infinity' WHERE customer = 3`,
      `UPDATE customers SET paid = 17 * 1.5 WHERE id = 17; DELETE FROM customers WHERE id = 9001;
       INSERT INTO customers VALUES (4000, E'name\\t4000\\n\\\\', 6000); UPDATE orders SET at = 'epoch'`,
      { withKeys: true },
    );
    expect(unexpected(comparison)).toEqual(['rows public.customers', 'rows public.orders']);
    const [customers, orders] = comparison.differences;
    expect(customers?.keys?.toSorted()).toEqual(['{"id":"17"}', '{"id":"4000"}', '{"id":"9001"}']);
    expect(customers?.left).toMatch(
      /^5000 rows, fingerprint [0-9a-f]{32}; 1 only here, 1 changed$/,
    );
    expect(orders?.keys).toEqual(['{"customer":"3","number":"1"}']);
    expect((await compare(live(left), live(right))).verdict).toBe('identical');
  });

  it('list at most a hundred keys and tell how many there are', async () => {
    const comparison = await compareAfter(
      'UPDATE customers SET paid = paid + 1 WHERE id <= 250',
      'UPDATE customers SET paid = paid - 1 WHERE id <= 250',
      { withKeys: true },
    );
    expect(comparison.differences[0]?.keys).toHaveLength(100);
    expect(comparison.differences[0]?.right).toContain('250 changed, 100 of 250 keys listed');
  });

  it('without a primary key name no keys', async () => {
    const comparison = await compareAfter(
      `INSERT INTO keyless VALUES ('b')`,
      `DELETE FROM keyless WHERE v = 'b'`,
      { withKeys: true },
    );
    expect(comparison.differences).toMatchObject([{ object: 'public.keyless' }]);
    expect(comparison.differences[0]).not.toHaveProperty('keys');
  });

  it.each([
    [
      'a sequence',
      `SELECT nextval('counter')`,
      `SELECT setval('counter', 41)`,
      ['sequence public.counter'],
    ],
    [
      'the data of a large object',
      `SELECT lo_put(4711, 10, 'x')`,
      `SELECT lo_put(4711, 10, '\\xab')`,
      ['large-objects data of the large objects'],
    ],
    [
      'the comment on a large object',
      `COMMENT ON LARGE OBJECT 4712 IS 'other'`,
      `COMMENT ON LARGE OBJECT 4712 IS 'empty'`,
      ['large-objects large object 4712'],
    ],
    [
      'a missing index',
      'DROP INDEX by_name',
      'CREATE INDEX by_name ON customers (lower(name))',
      ['census indexes', 'schema INDEX public.by_name'],
    ],
    [
      'a constraint that is not valid',
      'ALTER TABLE orders DROP CONSTRAINT of_customer; ALTER TABLE orders ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers NOT VALID',
      'ALTER TABLE orders VALIDATE CONSTRAINT of_customer',
      ['validity FK CONSTRAINT public.orders of_customer'],
    ],
    [
      'a foreign key that is switched off',
      'ALTER TABLE orders DISABLE TRIGGER ALL',
      'ALTER TABLE orders ENABLE TRIGGER ALL',
      ['validity foreign key of_customer on public.orders'],
    ],
    [
      'a view',
      'CREATE OR REPLACE VIEW rich AS SELECT id, name FROM customers WHERE paid > 101',
      'CREATE OR REPLACE VIEW rich AS SELECT id, name FROM customers WHERE paid > 100',
      ['schema VIEW public.rich'],
    ],
    [
      'a right',
      'GRANT SELECT ON customers TO PUBLIC',
      'REVOKE SELECT ON customers FROM PUBLIC',
      ['rights ACL public.TABLE customers'],
    ],
    [
      'another column',
      'ALTER TABLE keyless ADD more int',
      'ALTER TABLE keyless DROP more',
      ['census columns', 'rows public.keyless', 'schema TABLE public.keyless'],
    ],
    [
      'a setting of the database',
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '5MB'); END $$`,
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET work_mem', current_database()); END $$`,
      ['setting work_mem'],
    ],
  ])('differ by %s', async (_, change, back, differences) => {
    expect(unexpected(await compareAfter(change, back))).toEqual(differences);
  });

  it('never show the value of a setting of an application', async () => {
    const set = (value: string) =>
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = %L', current_database(), '${value}'); END $$`;
    await left.query(set('secret-1'));
    const comparison = await compareAfter(set('secret-2'), set('secret-1'));
    expect(JSON.stringify(comparison)).not.toContain('secret');
    expect(unexpected(comparison)).toEqual(['setting app.key']);
  });

  it('name an index that is invalid', async () => {
    await right.query('CREATE TABLE twice (v int); INSERT INTO twice VALUES (1), (1)');
    await right
      .query('CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (v)')
      .catch(() => undefined);
    const comparison = await compareAfter('SELECT 1', 'DROP TABLE twice');
    expect(unexpected(comparison)).toContain('validity index public.broken');
  });

  it('name a b-tree that amcheck finds damaged, where it is installed', async () => {
    // An order that the index was not built with: what an update of a collation library does.
    const order = (sign: string) => `CREATE OR REPLACE FUNCTION by_size(int, int) RETURNS int
      LANGUAGE sql IMMUTABLE AS 'SELECT ${sign}($1 - $2)'`;
    await right.query(`CREATE EXTENSION amcheck; ${order('')};
      CREATE OPERATOR CLASS by_size FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
        OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 by_size(int, int);
      CREATE TABLE sized (v int); INSERT INTO sized SELECT generate_series(1, 1000);
      CREATE INDEX sized_v ON sized (v by_size)`);
    const whole = await compare(live(left), live(right));
    const damaged = await compareAfter(
      order('-'),
      'DROP TABLE sized; DROP OPERATOR FAMILY by_size USING btree CASCADE; DROP FUNCTION by_size; DROP EXTENSION amcheck',
    );
    expect(unexpected(whole).join()).not.toContain('validity');
    expect(unexpected(damaged)).toContain('validity index public.sized_v');
  });

  it('read both sides in one snapshot each, whatever happens meanwhile', async () => {
    const sides = await Promise.all([live(left), live(right)]);
    await right.query('DELETE FROM orders WHERE customer = 1');
    const comparison = await compare(sides[0], sides[1]);
    await right.query(`INSERT INTO orders VALUES (1, 1, 'epoch')`);
    expect(unexpected(comparison)).toEqual([]);
  });

  it('say so when a table is truncated beneath the snapshot', async () => {
    const sides = await Promise.all([live(left), live(right)]);
    await right.query('TRUNCATE keyless');
    await expect(compare(sides[0], sides[1])).rejects.toMatchObject({
      name: 'TableChangedError',
      message: expect.stringContaining('keyless'),
    });
    await right.query(`INSERT INTO keyless VALUES ('a'), (NULL)`);
  });
});
