import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { collect, expectNoSessions, fillShop, type Harness, makeHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('backup');
  await fillShop(harness.database);
});
afterAll(() => harness[Symbol.asyncDispose]());

describe('a backup', () => {
  it('holds every row, is verified, signed, listed, and leaves nothing on the server', async () => {
    const states = new Set<string>();
    const report = await runBackup(
      harness.options(
        { onProgress: ({ state }) => states.add(state) },
        { options: { chunkBytes: 1 << 20 }, labels: { team: 'shop' } },
      ),
    );
    expect(report).toMatchObject({ state: 'published', scope: 'full', tables: 3, rows: 20_003 });
    expect(states).toContain('DumpUnit');
    for (const state of [
      'Plan',
      'HoldSnapshot',
      'DumpSchema',
      'PlanUnits',
      'DumpUnit',
      'Seal',
      'VerifyUnit',
      'Publish',
    ]) {
      expect(report.phases[state], state).toBeGreaterThanOrEqual(0);
    }
    const manifest = await harness.manifest(report.backupId);
    expect(manifest.labels).toEqual({ team: 'shop' });
    expect(manifest.largeObjects).toMatchObject({ count: 1, data: { rows: 3 } });
    expect(manifest.inventory.sequences).toContainEqual({
      schema: 'public',
      name: 'counter',
      lastValue: '4711',
      isCalled: true,
    });
    expect(manifest.schema.map(({ name }) => name).sort()).toEqual([
      'globals',
      'post-data',
      'pre-data',
      'sequences',
    ]);

    const accounts = manifest.tables.find(({ name }) => name === 'accounts');
    expect(accounts?.segments.length).toBeGreaterThan(3);
    for (const table of manifest.tables) {
      const name = `"${table.schema.replaceAll('"', '""')}"."${table.name}"`;
      const expected = await harness.database.query<{ row: string }>(
        `SELECT concat_ws(E'\\t', ${table.columns.map((c) => `coalesce(replace(replace(replace("${c}"::text, E'\\\\', E'\\\\\\\\'), E'\\t', '\\t'), E'\\n', '\\n'), '\\N')`).join(', ')}) AS row FROM ${name}`,
      );
      const rows = await harness.rowsOf(manifest, table);
      expect(rows.length, name).toBe(expected.length);
      expect(rows, name).toEqual(expected.map(({ row }) => row).sort());
    }

    expect(await harness.catalogue()).toMatchObject([
      { backupId: report.backupId, rows: 20_003, scope: 'full' },
    ]);
    const evidence = await collect(readAllEvidence(harness.deps, 'shop', report.backupId));
    expect(evidence.map(({ kind }) => kind).sort()).toEqual(['published', 'verified']);
    for (const { key } of manifest.objects) {
      expect((await harness.deps.vault.head(key)).tags).toEqual({ 'holdfast-tier': 'manual' });
    }
    await expectNoSessions(harness);
    const locks = await harness.database.query(
      `SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND datname = current_database()`,
    );
    expect(locks).toEqual([]);
  });

  it('with filters says that it is partial', async () => {
    const report = await runBackup(harness.options({}, { filters: { tables: ['accounts'] } }));
    expect(report).toMatchObject({ scope: 'partial', tables: 1, rows: 20_000 });
    const listed = (await harness.catalogue()).find(({ backupId }) => backupId === report.backupId);
    expect(listed?.scope).toBe('partial');
  });

  it('of the schema alone has definitions and no rows', async () => {
    const report = await runBackup(harness.options({}, { filters: { sections: 'schema' } }));
    expect(report).toMatchObject({ scope: 'partial', rows: 0 });
    const manifest = await harness.manifest(report.backupId);
    expect(manifest.tables.every(({ dataExcluded }) => dataExcluded === 'schema-only')).toBe(true);
  });

  it('of an empty database works', async () => {
    await using empty = await makeHarness('empty');
    expect(await runBackup(empty.options())).toMatchObject({
      state: 'published',
      tables: 0,
      rows: 0,
    });
  });

  it('never shows a transfer by half: the sum over all accounts is that of an instant', async () => {
    let isOver = false;
    const { query } = harness.database;
    const writer = (async () => {
      while (!isOver) {
        // From one half of the accounts to the other: never to the same one.
        const [from, to] = [0, 10_000].map((half) => half + 1 + Math.floor(Math.random() * 10_000));
        await query(`WITH gone AS (UPDATE accounts SET balance = balance - 7 WHERE id = ${from} RETURNING 1)
          UPDATE accounts SET balance = balance + 7 WHERE id = ${to}`);
      }
    })();
    try {
      const report = await runBackup(harness.options({}, { options: { chunkBytes: 1 << 20 } }));
      const manifest = await harness.manifest(report.backupId);
      const accounts = manifest.tables.find(({ name }) => name === 'accounts');
      const rows = await harness.rowsOf(manifest, accounts as never);
      const sum = rows.reduce((total, row) => total + Number(row.split('\t')[1]), 0);
      expect(sum).toBe(20_000_000);
    } finally {
      isOver = true;
      await writer;
    }
  });
});
