import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyStatement } from '../../core/copy/copy-statement.ts';
import { planUnits } from '../../core/plan/plan-units.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { heldRun, readPlan, tableSlices } from './support.ts';

const temporaryFolder = temporaryFolders();
let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase('plan');
});
afterEach(() => database.drop());

async function plan(input: { filters?: object; options?: object } = {}) {
  const run = await heldRun(await temporaryFolder(), database.settings, input);
  try {
    const output = await planUnits(run.deps, { runId: run.runId });
    return { run, output, ...(await readPlan(run, output.units)) };
  } finally {
    await run[Symbol.asyncDispose]();
  }
}

/** How often each row is read when every slice is copied. */
async function timesRead(slices: ReturnType<typeof tableSlices>): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const slice of slices) {
    const select = copyStatement(slice)
      .replace(/^COPY \(/, '')
      .replace(/\) TO STDOUT$/, '');
    for (const { id } of await database.query<{ id: string }>(select)) {
      times.set(`${slice.name}/${id}`, (times.get(`${slice.name}/${id}`) ?? 0) + 1);
    }
  }
  return times;
}

test('ranges of a large table hold every row exactly once, TOAST is counted in', async () => {
  await database.query(`CREATE TABLE wide (id int, body text STORAGE EXTERNAL);
    INSERT INTO wide SELECT i, repeat(md5(i::text), 200) FROM generate_series(1, 2000) i;
    CREATE TABLE narrow (id int);
    INSERT INTO narrow SELECT generate_series(1, 50000);`);
  const { units, record, output } = await plan({ options: { chunkBytes: 1 << 20 } });
  const slices = tableSlices(units);
  const ofWide = slices.filter(({ name }) => name === 'wide');
  // 2,000 rows of 6,400 bytes in TOAST: about 17 MB with it, and only some 20 blocks without.
  expect(ofWide.length).toBeGreaterThanOrEqual(12);
  expect(slices.filter(({ name }) => name === 'narrow').length).toBeGreaterThanOrEqual(2);
  const times = await timesRead(slices);
  expect(times.size).toBe(52_000);
  expect(new Set(times.values())).toEqual(new Set([1]));
  expect(record).toMatchObject({ units: units.length, chunkBytes: 1 << 20 });
  expect(output.estimatedBytes).toBeGreaterThan(12_800_000);
});

test('rows written behind the measured end before the snapshot are in the open last range', async () => {
  await database.query(`CREATE TABLE t (id int, body text);
    INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 4000) i;`);
  const { units } = await plan({ options: { chunkBytes: 256 << 10 } });
  const slices = tableSlices(units);
  expect(slices.filter(({ blocks }) => blocks?.to === null)).toHaveLength(1);
  await database.query(`INSERT INTO t SELECT i, '' FROM generate_series(4001, 90000) i`);
  expect((await timesRead(slices)).size).toBe(90_000);
});

test('small tables share a unit, and empty tables are planned too', async () => {
  await database.query(`
    DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE small_%s (id int)', i); END LOOP; END $$;
    CREATE TABLE big (id int);
    INSERT INTO big SELECT generate_series(1, 100000);`);
  const { units, output } = await plan({ options: { chunkBytes: 1 << 20 } });
  expect(output.units).toEqual(units.map((_, index) => index));
  expect(tableSlices(units).filter(({ name }) => name.startsWith('small_'))).toHaveLength(40);
  expect(units.length).toBeLessThanOrEqual(5);
  const shared = units.filter((slices) =>
    slices.some((slice) => slice.of === 'table' && slice.name.startsWith('small_')),
  );
  expect(shared).toHaveLength(1);
});

test('partitions are planned one by one, their parents, foreign tables and children of ONLY are not', async () => {
  await database.query(`
    CREATE TABLE m (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY LIST (id);
    CREATE TABLE m1a PARTITION OF m1 FOR VALUES IN (1);
    CREATE TABLE m2 PARTITION OF m FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    INSERT INTO m VALUES (1, '2026-01-05'), (2, '2026-02-05');
    CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
    CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
    CREATE FOREIGN TABLE far (id int) SERVER s;
    CREATE UNLOGGED TABLE unlogged (id int);`);
  const { units, record } = await plan();
  const names = tableSlices(units).map(({ name }) => name);
  expect(names.sort()).toEqual(['child', 'm1a', 'm2', 'parent', 'unlogged']);
  expect(record.tables.find(({ name }) => name === 'm1a')).toMatchObject({
    kind: 'partition',
    root: { schema: 'public', name: 'm' },
  });
  expect(record.tables.find(({ name }) => name === 'child')).toMatchObject({ kind: 'table' });
  expect(record.tables.find(({ name }) => name === 'unlogged')?.persistence).toBe('unlogged');
});

test('columns are those of a COPY: no dropped and no generated ones, hostile names as they are', async () => {
  const virtual = 'v int GENERATED ALWAYS AS (a * 2) VIRTUAL,';
  await database.query(`CREATE SCHEMA "o'dd ""s.";
    CREATE TABLE "o'dd ""s."."new
line 😀" (a int, gone int, g int GENERATED ALWAYS AS (a + 1) STORED, ${virtual} "B""\\ ""c" text);
    ALTER TABLE "o'dd ""s."."new
line 😀" DROP COLUMN gone;
    CREATE TABLE no_columns ();`);
  const { record, units } = await plan();
  const odd = record.tables.find(({ schema }) => schema === `o'dd "s.`);
  expect(odd).toMatchObject({ name: 'new\nline 😀', columns: ['a', 'B"\\ "c'] });
  expect(record.tables.find(({ name }) => name === 'no_columns')?.columns).toEqual([]);
  for (const slice of tableSlices(units)) {
    await database.query(copyStatement(slice).replace(/TO STDOUT$/, `TO PROGRAM 'cat >/dev/null'`));
  }
});

test('a retry plans nothing again and the text sections stay', async () => {
  await database.query("CREATE TABLE t (id serial); SELECT nextval('t_id_seq')");
  await using run = await heldRun(await temporaryFolder(), database.settings);
  const first = await planUnits(run.deps, { runId: run.runId });
  const before = await readPlan(run, first.units);
  await database.query(`SELECT nextval('t_id_seq'); CREATE TABLE later (id int)`);
  expect(await planUnits(run.deps, { runId: run.runId })).toEqual(first);
  const after = await readPlan(run, first.units);
  expect(after).toEqual(before);
  expect(after.schema.sections.map(({ name }) => name)).toEqual(['globals', 'sequences']);
  expect(run.events.filter(({ expectedBytes }) => expectedBytes !== undefined)).toHaveLength(2);
});

test('what an attempt that died left behind is not part of the plan', async () => {
  await database.query('CREATE TABLE t (id int)');
  await using run = await heldRun(await temporaryFolder(), database.settings);
  const stale = `runs/${run.runId}/units/00007-0.json`;
  await run.deps.workspace.put(stale, Buffer.from('{}'));
  await planUnits(run.deps, { runId: run.runId });
  expect(await run.deps.workspace.get(stale)).toBeUndefined();
});

test('--schema-only plans no units and no values of sequences, --data-only no roles', async () => {
  await database.query('CREATE TABLE t (id serial)');
  const schemaOnly = await plan({ filters: { sections: 'schema' } });
  expect(schemaOnly.output).toMatchObject({ units: [], tables: 1, estimatedBytes: 0 });
  expect(schemaOnly.record.tables[0]?.dataExcluded).toBe('schema-only');
  expect(schemaOnly.record.inventory.sequences).toEqual([]);
  expect(schemaOnly.schema.sections.map(({ name }) => name)).toEqual(['globals']);
  const dataOnly = await plan({ filters: { sections: 'data' } });
  expect(dataOnly.output.units).toEqual([0]);
  expect(dataOnly.schema.sections.map(({ name }) => name)).toEqual(['sequences']);
});

test('an empty database has a plan without units', async () => {
  const { output, record } = await plan();
  expect(output).toEqual({ units: [], tables: 0, estimatedBytes: 0 });
  expect(record.inventory.census).toMatchObject({ tables: 0, schemas: 1 });
});

test('2,000 tables and as many sequences are planned', { timeout: 240_000 }, async () => {
  // 2,000 relations in one transaction would be more locks than the server has.
  for (let at = 0; at < 2_000; at += 500) {
    await database.query(`DO $$ BEGIN FOR i IN ${at + 1}..${at + 500} LOOP
      EXECUTE format('CREATE TABLE t%s (id serial)', i); END LOOP; END $$`);
  }
  const run = await heldRun(await temporaryFolder(), database.settings);
  const started = performance.now();
  const output = await planUnits(run.deps, { runId: run.runId });
  console.log(`planned 2,000 tables in ${Math.round(performance.now() - started)} ms`);
  const { record, units } = await readPlan(run, output.units);
  await run[Symbol.asyncDispose]();
  expect(record.inventory.sequences).toHaveLength(2_000);
  expect(new Set(tableSlices(units).map(({ oid }) => oid)).size).toBe(2_000);
  expect(units.length).toBeLessThanOrEqual(5);
});
