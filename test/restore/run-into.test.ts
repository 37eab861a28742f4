import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillShop } from '../backup/harness.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

let harness: RestoreHarness;
let name: string;
beforeAll(async () => {
  harness = await makeRestoreHarness('run_into', fillShop);
  name = harness.source.database.name;
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const into = (selection: Record<string, unknown>) =>
  harness.restore({ mode: 'into', database: name, selection });
const accounts = () =>
  onServer(
    name,
    `SELECT count(*)::int AS rows, md5(string_agg(a::text, ',' ORDER BY id)) AS hash FROM accounts a`,
  );
const schemas = () =>
  onServer(name, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'holdfast%'`);

describe('a restore into an existing database, from the request to the report', {
  timeout: 180_000,
}, () => {
  it('brings back a table that was dropped, reading little more than that table, without a safety backup', async () => {
    const before = await accounts();
    await onServer(name, 'DROP TABLE accounts');
    const report = await into({ tables: ['accounts'] });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', database: name });
    expect(report).toMatchObject({ tables: 1, rows: 20_000, safetyBackupId: null });
    expect(await accounts()).toEqual(before);
    expect(await schemas()).toEqual([]);
  });

  it('replaces rows by primary key after a safety backup of what is there', async () => {
    const before = await accounts();
    await onServer(name, `UPDATE accounts SET balance = 0 WHERE id % 2 = 0`);
    await onServer(name, `DELETE FROM accounts WHERE id > 15000`);
    const report = await into({ tables: ['accounts'], onConflict: 'replace' });
    expect(report.state).toBe('succeeded');
    expect(await accounts()).toEqual(before);
    expect(report.safetyBackupId).toMatch(/^shop-/);
  });

  it('changes nothing when a row is there already and nobody said what becomes of it', async () => {
    await onServer(name, `UPDATE accounts SET balance = 7`);
    const before = await accounts();
    const failing = into({ tables: ['accounts'], onConflict: 'error' });
    await expect(failing).rejects.toMatchObject({ name: 'RowConflictError' });
    expect(await accounts()).toEqual(before);
    expect(await schemas()).toEqual([]);
  });
});
