import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyStatement } from '../../core/copy/copy-statement.ts';
import { planUnits } from '../../core/plan/plan-units.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { heldRun, readPlan, tableSlices } from './support.ts';

const temporaryFolder = temporaryFolders();
let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase('scope');
});
afterEach(() => database.drop());

async function plan(filters: object = {}, options: object = {}) {
  await using run = await heldRun(await temporaryFolder(), database.settings, { filters, options });
  const output = await planUnits(run.deps, { runId: run.runId });
  return readPlan(run, output.units);
}

test('of an extension’s configuration table only the rows of its condition are planned', async () => {
  await database.query(`CREATE TABLE conf (id int); INSERT INTO conf SELECT generate_series(1, 20);
    SET allow_system_table_mods = on;
    INSERT INTO pg_extension VALUES (99001, 'tiny', 10, 'public'::regnamespace, true, '1.0',
      ARRAY['conf'::regclass], ARRAY['WHERE id > 15 OR id = 1']);
    INSERT INTO pg_depend VALUES ('pg_class'::regclass, 'conf'::regclass, 0, 'pg_extension'::regclass, 99001, 0, 'e');`);
  const { units, record } = await plan();
  expect(record.tables).toMatchObject([{ name: 'conf', kind: 'extension', extension: 'tiny' }]);
  const [slice] = tableSlices(units);
  if (slice === undefined) throw new Error('no slice');
  const select = copyStatement(slice)
    .replace(/^COPY \(/, '')
    .replace(/\) TO STDOUT$/, '');
  expect(await database.query(select)).toHaveLength(6);
});

test('large objects are planned with everything, and not when schemas or tables are chosen', async () => {
  await database.query('CREATE TABLE t (); SELECT lo_create(4711), lo_create(4712)');
  const largeObjects = async (filters: object) =>
    (await plan(filters)).units.flat().filter(({ of }) => of === 'large-objects');
  expect(await largeObjects({})).toMatchObject([
    { fromOid: 0, toOid: 2 ** 32 - 1 },
    { fromOid: 0, toOid: 2 ** 32 - 1 },
  ]);
  expect(await largeObjects({ excludeTables: ['t'] })).toHaveLength(2);
  expect(await largeObjects({ tables: ['t'] })).toEqual([]);
  expect(await largeObjects({ schemas: ['public'] })).toEqual([]);
  expect(await largeObjects({ sections: 'schema' })).toEqual([]);
});

test('a table whose data is excluded keeps its place in the inventory and has no unit', async () => {
  await database.query('CREATE TABLE log (id int); CREATE TABLE t (id serial)');
  const { record, units } = await plan({ excludeTableData: ['log', 't_id_seq'] });
  expect(record.tables.map(({ name, dataExcluded }) => [name, dataExcluded])).toEqual([
    ['log', 'filter'],
    ['t', undefined],
  ]);
  expect(tableSlices(units).map(({ name }) => name)).toEqual(['t']);
  expect(record.inventory.sequences).toEqual([]);
});

test('a partitioned table chosen without its partitions is a warning that names it', async () => {
  await database.query(`CREATE TABLE m (id int) PARTITION BY LIST (id);
    CREATE TABLE m_1 PARTITION OF m FOR VALUES IN (1); CREATE TABLE m_2 PARTITION OF m FOR VALUES IN (2);`);
  const partial = await plan({ tables: ['m', 'm_1'] });
  expect(partial.record.warnings).toMatchObject([
    {
      code: 'partitions-not-selected',
      message: expect.stringMatching(/^1 partitions of public\.m /),
    },
  ]);
  expect((await plan({ tables: ['m', 'm_*'] })).record.warnings).toEqual([]);
});

test('the plan shows the snapshot: what was committed after it is not in it', async () => {
  await database.query('CREATE TABLE t (id int)');
  await using run = await heldRun(await temporaryFolder(), database.settings);
  await database.query(`CREATE TABLE later (id int); CREATE SEQUENCE later_too;
    CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'`);
  const output = await planUnits(run.deps, { runId: run.runId });
  const { record } = await readPlan(run, output.units);
  expect(record.tables.map(({ name }) => name)).toEqual(['t']);
  expect(record.inventory.sequences).toEqual([]);
  expect(record.inventory.census).toMatchObject({ tables: 1, sequences: 0, functions: 0 });
});

test('the sequence’s value is read after the snapshot: never behind the rows', async () => {
  await database.query(
    `CREATE TABLE t (id serial); INSERT INTO t SELECT FROM generate_series(1, 5)`,
  );
  await using run = await heldRun(await temporaryFolder(), database.settings);
  await database.query('INSERT INTO t SELECT FROM generate_series(1, 5)');
  const output = await planUnits(run.deps, { runId: run.runId });
  const { record } = await readPlan(run, output.units);
  expect(record.inventory.sequences).toMatchObject([{ lastValue: '10', isCalled: true }]);
});

test('a lost snapshot ends planning and leaves no inventory', async () => {
  const run = await heldRun(await temporaryFolder(), database.settings);
  await run[Symbol.asyncDispose]();
  await expect(planUnits(run.deps, { runId: run.runId })).rejects.toMatchObject({
    name: 'SnapshotLostError',
  });
  expect(await run.deps.workspace.get(`runs/${run.runId}/inventory.json`)).toBeUndefined();
});
