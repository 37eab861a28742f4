import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filtersSchema } from '../../core/contract/filters.ts';
import {
  readSequenceValues,
  requireReadableSequences,
  selectSequences,
} from '../../core/inventory/sequences.ts';
import { selectTables } from '../../core/plan/select-tables.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;

beforeEach(async () => {
  database = await testDatabase('sequences');
  session = await openSession(database.settings, { applicationName: 'test', purpose: 'worker' });
});
afterEach(async () => {
  await session.close();
  await database.drop();
});

async function select(filters: object = {}) {
  const parsed = filtersSchema.parse(filters);
  const tables = await selectTables(session, parsed);
  return selectSequences(session, parsed, new Set(tables.map(({ oid }) => oid)));
}

const names = async (filters: object) =>
  (await select(filters)).map(({ schema, name }) => `${schema}.${name}`);

test('values are exact: never called, set and not called, called, beyond 2^53, odd names', async () => {
  await database.query(`
    CREATE SEQUENCE fresh START 5; CREATE SEQUENCE set; SELECT setval('set', 42, false);
    CREATE SEQUENCE called; SELECT nextval('called') FROM generate_series(1, 3);
    CREATE SEQUENCE big; SELECT setval('big', 9223372036854775806);
    CREATE SEQUENCE down INCREMENT -1; SELECT nextval('down');
    CREATE SCHEMA "o'dd"; CREATE SEQUENCE "o'dd"."a""b
c" START 7; CREATE TEMP SEQUENCE temporary;`);
  expect(await readSequenceValues(session, await select())).toEqual([
    { schema: "o'dd", name: 'a"b\nc', lastValue: '7', isCalled: false },
    { schema: 'public', name: 'big', lastValue: '9223372036854775806', isCalled: true },
    { schema: 'public', name: 'called', lastValue: '3', isCalled: true },
    { schema: 'public', name: 'down', lastValue: '-1', isCalled: true },
    { schema: 'public', name: 'fresh', lastValue: '5', isCalled: false },
    { schema: 'public', name: 'set', lastValue: '42', isCalled: false },
  ]);
});

test('a filter takes the sequences of the chosen tables and those it matches, as pg_dump does', async () => {
  await database.query(`CREATE SCHEMA a; CREATE SCHEMA b;
    CREATE TABLE a.t (id serial); CREATE TABLE a.i (id int GENERATED ALWAYS AS IDENTITY);
    CREATE SEQUENCE a.free; CREATE SEQUENCE b.other; CREATE SEQUENCE a.also OWNED BY a.t.id;`);
  expect(await names({})).toEqual(['a.also', 'a.free', 'a.i_id_seq', 'a.t_id_seq', 'b.other']);
  expect(await names({ tables: ['a.t'], excludeTables: ['a.also'] })).toEqual([
    'a.also',
    'a.t_id_seq',
  ]);
  expect(await names({ tables: ['a.free'] })).toEqual(['a.free']);
  expect(await names({ excludeTables: ['a.i'] })).toEqual([
    'a.also',
    'a.free',
    'a.t_id_seq',
    'b.other',
  ]);
  expect(await names({ schemas: ['b'] })).toEqual(['b.other']);
  expect(await names({ excludeTableData: ['a.free'] })).not.toContain('a.free');
  expect(await names({ sections: 'schema' })).toEqual([]);
});

test('more sequences than one statement reads', async () => {
  await database.query(
    `DO $$ BEGIN FOR i IN 1..600 LOOP EXECUTE format('CREATE SEQUENCE s%s START %s', i, i); END LOOP; END $$`,
  );
  const values = await readSequenceValues(session, await select());
  expect(values).toHaveLength(600);
  for (const { name, lastValue } of values) expect(name).toBe(`s${lastValue}`);
});

test('a sequence that was dropped or exchanged meanwhile is an error, never left out', async () => {
  await database.query('CREATE SEQUENCE one; CREATE SEQUENCE two');
  const selected = await select();
  await database.query('DROP SEQUENCE two');
  const moved = { name: 'SchemaMovedError' };
  await expect(readSequenceValues(session, selected)).rejects.toMatchObject(moved);
  await database.query('CREATE SEQUENCE two');
  await expect(readSequenceValues(session, selected)).rejects.toMatchObject({
    ...moved,
    message: expect.stringContaining('public.two'),
  });
});

test('sequences that the role may not read are named with the GRANT that helps', async () => {
  const role = `reader_${randomBytes(4).toString('hex')}`;
  await database.query(`CREATE SEQUENCE open; CREATE SEQUENCE shut; CREATE ROLE ${role};
    GRANT SELECT ON SEQUENCE open TO ${role};`);
  await session.query(`SET ROLE ${role}`);
  const hidden = await select();
  expect(() => requireReadableSequences(session, hidden)).toThrowError(
    expect.objectContaining({
      name: 'PermissionDeniedError',
      message: expect.stringMatching(/1 of 2 sequences: public\.shut/),
      hint: expect.stringContaining('GRANT pg_read_all_data TO'),
    }),
  );
  await session.query('RESET ROLE');
  await database.query(`GRANT pg_read_all_data TO ${role}`);
  await session.query(`SET ROLE ${role}`);
  const readable = await select();
  requireReadableSequences(session, readable);
  expect(await readSequenceValues(session, readable)).toHaveLength(2);
  await session.query('RESET ROLE');
  await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
});
