import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupSide } from '../../core/compare/backup-side.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { richSchema } from '../support/rich-schema.ts';
import { backup, compare, dropSubscription, live, shop, unexpected } from './support.ts';

let harness: Harness;
let manifest: Manifest;
let target: TestDatabase;
beforeAll(async () => {
  harness = await makeHarness('compare');
  await harness.database.query(`${shop}
    CREATE TABLE "odd ""one" ("a ""b,c)" int, "d" text, v text, PRIMARY KEY ("d", "a ""b,c)") INCLUDE (v));
    INSERT INTO "odd ""one" SELECT i, E'k\\t' || i, 'x' FROM generate_series(1, 10) i;
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = %L', current_database(), 'one'); END $$`);
  const { backupId } = await runBackup(harness.options({}, { options: { chunkBytes: 1 << 18 } }));
  manifest = await harness.manifest(backupId);
  target = await testDatabase('compare_target');
  await restoreBackup(harness.deps, manifest, target.url);
});
afterAll(async () => {
  await target?.drop();
  await harness?.[Symbol.asyncDispose]();
});

const stored = () => backup(harness.deps, manifest);

describe('a backup', () => {
  it('is identical to its source, to what was restored from it, and to itself', async () => {
    for (const other of [live(harness.database), live(target), stored()]) {
      const comparison = await compare(stored(), other);
      expect(comparison).toMatchObject({ verdict: 'identical', differences: [] });
      expect(comparison.tables).toHaveLength(6);
    }
  });

  it('names the keys of rows that a database has otherwise, in either direction', async () => {
    await target.query(`UPDATE "odd ""one" SET v = 'y' WHERE d = E'k\\t7';
      DELETE FROM orders WHERE customer = 99`);
    const forth = await compare(stored(), live(target), { withKeys: true });
    const back = await compare(live(target), stored(), { withKeys: true });
    await target.query(
      `UPDATE "odd ""one" SET v = 'x'; INSERT INTO orders VALUES (99, 1, 'epoch')`,
    );
    for (const { differences } of [forth, back]) {
      expect(Object.fromEntries(differences.map(({ object, keys }) => [object, keys]))).toEqual({
        'public."odd ""one"': ['{"d":"k\\t7","a \\"b,c)":"7"}'],
        'public.orders': ['{"customer":"99","number":"1"}'],
      });
    }
    expect(forth.differences.find(({ object }) => object === 'public.orders')).toMatchObject({
      left: expect.stringMatching(/^100 rows.*; 1 only here$/),
      right: expect.stringMatching(/^99 rows.*; 0 only here$/),
    });
  });

  it('knows primary keys from its definitions', async () => {
    const side = new BackupSide(harness.deps, manifest);
    expect(await side.primaryKey({ schema: 'public', name: 'orders' })).toEqual([
      'customer',
      'number',
    ]);
    expect(await side.primaryKey({ schema: 'public', name: 'keyless' })).toEqual([]);
  });

  it('finds a setting that has another value, without showing it', async () => {
    const set = (value: string) =>
      target.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.key = %L', current_database(), '${value}'); END $$`,
      );
    await set('two');
    const comparison = await compare(stored(), live(target));
    await set('one');
    expect(unexpected(comparison)).toEqual(['setting app.key']);
    expect(JSON.stringify(comparison.differences)).not.toMatch(/one|two/);
  });

  it('of a part is compared with the same part', async () => {
    const { backupId } = await runBackup(harness.options({}, { filters: { tables: ['orders'] } }));
    const part = await harness.manifest(backupId);
    await target.query('DELETE FROM customers WHERE id = 5000');
    const equal = await compare(backup(harness.deps, part), live(target));
    await target.query('ALTER TABLE orders ADD more int');
    const changed = await compare(backup(harness.deps, part), live(target));
    await target.query(`ALTER TABLE orders DROP more;
      INSERT INTO customers VALUES (5000, E'name\\t5000\\n\\\\', 7500)`);
    expect(equal).toMatchObject({ verdict: 'identical', tables: [{ table: 'public.orders' }] });
    expect(unexpected(changed)).toEqual(['rows public.orders', 'schema TABLE public.orders']);
  });

  it('of rows alone says which table a database lacks', async () => {
    const { backupId } = await runBackup(harness.options({}, { filters: { sections: 'data' } }));
    const rows = backup(harness.deps, await harness.manifest(backupId));
    expect((await compare(rows, live(target))).differences).toEqual([]);
    await target.query('ALTER TABLE keyless RENAME TO other');
    const comparison = await compare(rows, live(target));
    await target.query('ALTER TABLE other RENAME TO keyless');
    expect(unexpected(comparison)).toEqual(['rows public.keyless', 'rows public.other']);
  });
});

describe('a database with everything in it', () => {
  it('that was restored is identical to its backup and to its source', async () => {
    await using rich = await makeHarness('compare_rich');
    await rich.database.query(richSchema(18));
    const { backupId } = await runBackup(rich.options({}, { options: { chunkBytes: 1 << 16 } }));
    const whole = await rich.manifest(backupId);
    await using restored = await testDatabase('compare_rich_target');
    await restoreBackup(rich.deps, whole, restored.url);
    try {
      const comparison = await compare(backup(rich.deps, whole), live(restored));
      expect(comparison.differences).toEqual([]);
      expect(comparison.tables.length).toBeGreaterThan(20);
      expect((await compare(live(rich.database), live(restored))).differences).toEqual([]);
    } finally {
      await dropSubscription(rich.database);
      await dropSubscription(restored);
    }
  });
});
