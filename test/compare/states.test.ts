import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSchema } from '../../core/compare/compare-schema.ts';
import { compareUnit } from '../../core/compare/compare-unit.ts';
import { planComparisons } from '../../core/compare/plan-comparisons.ts';
import { comparisonSchema, restoreInputSchema } from '../../core/contract/restore.ts';
import { getJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness, requestedBy } from '../backup/harness.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { type ComparedRun, restoredRun } from './harness.ts';
import { shop } from './support.ts';

let harness: Harness;
let backupId: string;
let target: TestDatabase;
beforeAll(async () => {
  harness = await makeHarness('compare_states');
  await harness.database.query(`${shop}
    CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
    CREATE TABLE hashed (c colour, v int) PARTITION BY HASH (c);
    CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO hashed SELECT (ARRAY['red', 'green', 'blue']::colour[])[1 + i % 3], i FROM generate_series(1, 30) i;`);
  ({ backupId } = await runBackup(harness.options()));
  target = await testDatabase('compare_states_target');
  const manifest = await harness.manifest(backupId);
  // Other partitions than at the source: as after a load through the root.
  const without = {
    ...manifest,
    tables: manifest.tables.filter(({ name }) => !/^hashed/.test(name)),
  };
  await restoreBackup(harness.deps, without, target.url);
  await target.query(`CREATE SCHEMA holdfast_restore; CREATE TABLE holdfast_restore.progress (item text PRIMARY KEY);
    ALTER TABLE hashed DETACH PARTITION hashed_0; ALTER TABLE hashed DETACH PARTITION hashed_1`);
  // Each colour in the partition that the source has it not in, whatever the hashes of the two are.
  const there = await harness.database.query<{ c: string }>(
    'SELECT DISTINCT c::text FROM hashed_0',
  );
  for (const [partition, is] of [
    ['hashed_1', ''],
    ['hashed_0', 'NOT'],
  ]) {
    await target.query(
      `INSERT INTO ${partition} SELECT c, i FROM (
         SELECT (ARRAY['red', 'green', 'blue']::colour[])[1 + i % 3] AS c, i FROM generate_series(1, 30) i) AS rows
        WHERE ${is} c::text = ANY ($1)`,
      [there.map(({ c }) => c)],
    );
  }
});
afterAll(async () => {
  await target?.drop();
  await harness?.[Symbol.asyncDispose]();
});

const record = ({ deps, run }: ComparedRun, unit: number) =>
  getJson(deps.workspace, comparisonSchema, workspaceKeys.restorePart(run.runId, 'compared', unit));
const fact = ({ deps, run }: ComparedRun) =>
  getJson(deps.workspace, comparisonSchema, workspaceKeys.restoreFact(run.runId, 'comparison'));

async function compareAll(restored: ComparedRun): Promise<number> {
  const { runId } = restored.run;
  let calls = 0;
  for (let unit = 0; unit < restored.units; unit += 1) {
    for (let isDone = false; !isDone; calls += 1) {
      ({ isDone } = await compareUnit(restored.deps, { runId, unit }));
    }
  }
  return calls;
}

describe('planComparisons', () => {
  it('puts every table with rows into one unit, large ones alone', async () => {
    const manifest = await harness.manifest(backupId);
    const input = restoreInputSchema.parse({
      ...{ target: 't', requestedBy, options: { unitBytes: 150_000 } },
    });
    const units = planComparisons(manifest, { input });
    expect(units.map(({ unit }) => unit)).toEqual(units.map((_, index) => index));
    expect(units.flatMap(({ tables }) => tables)).toEqual(manifest.tables.map((_, index) => index));
    const large = manifest.tables.findIndex(({ name }) => name === 'customers');
    expect(units.find(({ tables }) => tables.includes(large))?.tables).toEqual([large]);
    expect(units.some(({ tables }) => tables.length > 1)).toBe(true);
  });

  it('of a partial restore takes the chosen tables', async () => {
    const manifest = await harness.manifest(backupId);
    const input = restoreInputSchema.parse({
      ...{ target: 't', requestedBy, mode: 'into', database: 'x' },
      selection: { tables: ['public.orders'] },
    });
    const orders = manifest.tables.findIndex(({ name }) => name === 'orders');
    expect(planComparisons(manifest, { input })).toEqual([{ unit: 0, tables: [orders] }]);
  });
});

describe('the compare states', () => {
  it('find a restored database identical, rows in other partitions of one root too', async () => {
    const restored = await restoredRun(harness, backupId, target);
    // The tables, and the large objects.
    expect(await compareAll(restored)).toBe(2);
    const rows = await record(restored, 0);
    expect(rows?.differences).toEqual([]);
    expect(rows?.tables.find(({ table }) => table === 'public.customers')).toMatchObject({
      rows: 5000,
      targetRows: 5000,
    });
    await target.query(`ALTER TABLE hashed_0 RENAME TO h0; ALTER TABLE hashed_1 RENAME TO h1;
      CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      DROP TABLE h0, h1`);
    expect(await compareSchema(restored.deps, { runId: restored.run.runId })).toEqual({
      differences: 0,
    });
    const found = await fact(restored);
    expect(found?.differences).toEqual([]);
    expect(found?.tables).toMatchObject([
      { table: 'public.hashed (2 partitions together)', rows: 30, targetRows: 30 },
    ]);
    await target.query(`INSERT INTO hashed SELECT (ARRAY['red', 'green', 'blue']::colour[])[1 + i % 3], i
      FROM generate_series(1, 30) i`);
  });

  it('go on where their time ended, and may run again', async () => {
    const options = { taskSeconds: 0.001, unitBytes: 100_000, jobs: 1 };
    const restored = await restoredRun(harness, backupId, target, { options });
    const calls = await compareAll(restored);
    // How many pieces a table has follows from what the server estimates of it; some unit has several.
    expect(calls).toBeGreaterThan(restored.units);
    expect(await compareAll(restored)).toBe(restored.units);
    const all = await Promise.all(
      Array.from({ length: restored.units }, (_, unit) => record(restored, unit)),
    );
    expect(all.flatMap((one) => one?.differences)).toEqual([]);
    const customers = all
      .flatMap((one) => one?.tables ?? [])
      .find(({ table }) => table === 'public.customers');
    expect(customers).toMatchObject({ rows: 5000, targetRows: 5000 });
    expect(customers?.fingerprint).toBe(customers?.targetFingerprint);
  });

  it('end the restore when a row is another one, after writing it down', async () => {
    const restored = await restoredRun(harness, backupId, target);
    await target.query('UPDATE customers SET paid = 0 WHERE id = 4; DROP TABLE keyless');
    await compareAll(restored);
    const { runId } = restored.run;
    const failure = await compareSchema(restored.deps, { runId }).catch((error: unknown) => error);
    await target.query(`UPDATE customers SET paid = 6 WHERE id = 4;
      CREATE TABLE keyless (v text); INSERT INTO keyless VALUES ('a'), (NULL)`);
    expect(failure).toMatchObject({
      name: 'RestoreDifferentError',
      message: expect.stringContaining('rows: public.customers'),
    });
    expect((await record(restored, 0))?.differences).toMatchObject([
      { object: 'public.keyless', right: 'no such table' },
      { object: 'public.customers' },
    ]);
    expect((await fact(restored))?.differences.map(({ object }) => object)).toContain(
      'TABLE public.keyless',
    );
    // What was found stays found.
    await expect(compareSchema(restored.deps, { runId })).rejects.toMatchObject({
      name: 'RestoreDifferentError',
    });
  });

  it('do not take a unit that nobody compared for equal', async () => {
    const restored = await restoredRun(harness, backupId, target);
    await expect(compareSchema(restored.deps, { runId: restored.run.runId })).rejects.toMatchObject(
      { name: 'InternalError' },
    );
  });

  it('take other owners and rights as expected when they were asked for', async () => {
    const roles = { noOwner: true, noPrivileges: true };
    const restored = await restoredRun(harness, backupId, target, { roles });
    await target.query(`CREATE ROLE compare_states_owner; ALTER TABLE customers OWNER TO compare_states_owner;
      GRANT SELECT ON orders TO PUBLIC`);
    try {
      await compareAll(restored);
      await compareSchema(restored.deps, { runId: restored.run.runId });
      expect((await fact(restored))?.differences).toMatchObject([
        { object: 'owners', isExpected: true },
        { object: 'rights', isExpected: true },
      ]);
      const plain = await restoredRun(harness, backupId, target);
      await compareAll(plain);
      await expect(compareSchema(plain.deps, { runId: plain.run.runId })).rejects.toMatchObject({
        message: expect.stringContaining('rights: ACL public.TABLE orders'),
      });
    } finally {
      await target.query(`ALTER TABLE customers OWNER TO CURRENT_USER; REVOKE SELECT ON orders FROM PUBLIC;
        DROP ROLE compare_states_owner`);
    }
  });
});
