import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNoSessions, fillShop } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from './harness.ts';

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

describe('a whole restore', () => {
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
  });
});
