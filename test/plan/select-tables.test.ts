import { afterAll, beforeAll, expect, test } from 'vitest';
import { filtersSchema } from '../../core/contract/filters.ts';
import { selectTables } from '../../core/plan/select-tables.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await testDatabase('select');
  await database.query(`
    CREATE TABLE public.orders (id int); CREATE TABLE public.old_orders (id int);
    CREATE VIEW public.v AS SELECT 1 AS one; CREATE SEQUENCE public.s;
    CREATE SCHEMA shop; CREATE TABLE shop.orders (id int) PARTITION BY LIST (id);
    CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES IN (1);
    CREATE SCHEMA "We.ird"; CREATE TABLE "We.ird"."T$1" (id int); CREATE TABLE "We.ird"."a""b" (id int);
    CREATE SCHEMA log; CREATE TABLE log.entries (id int); CREATE TABLE log.audit (id int);
    CREATE TEMP TABLE temporary (id int);`);
  // A tiny extension of catalog rows: three of its tables, two of which are configuration tables.
  await database.query(`CREATE SCHEMA ext;
    CREATE TABLE ext.conf (id int); CREATE TABLE ext.conf_all (id int); CREATE TABLE ext.internal (id int);
    SET allow_system_table_mods = on;
    INSERT INTO pg_extension VALUES (99001, 'tiny', 10, 'ext'::regnamespace, true, '1.0',
      ARRAY['ext.conf'::regclass, 'ext.conf_all'::regclass], ARRAY['WHERE id > 10', '']);
    INSERT INTO pg_depend SELECT 'pg_class'::regclass, c, 0, 'pg_extension'::regclass, 99001, 0, 'e'
      FROM unnest(ARRAY['ext.conf'::regclass, 'ext.conf_all', 'ext.internal']) c;`);
  session = await openSession(database.settings, { applicationName: 'test', purpose: 'control' });
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const select = (filters: object) => selectTables(session, filtersSchema.parse(filters));

async function names(filters: object): Promise<string[]> {
  return (await select(filters)).map(({ schema, name }) => `${schema}.${name}`).sort();
}

async function namesOfPgDump(filters: object): Promise<string[]> {
  await using own = await openSession(database.settings, {
    applicationName: 'test',
    purpose: 'worker',
  });
  const { sql } = await dumpSection(own, {
    section: 'pre-data',
    filters: filtersSchema.parse(filters),
    lockWaitMs: 5_000,
  });
  const found = [...sql.matchAll(/^-- Name: (.*); Type: TABLE; Schema: (.*); Owner: .*$/gm)];
  return found.map(([, name, schema]) => `${schema}.${name}`).sort();
}

const extension = ['ext.conf', 'ext.conf_all'];
const everything = [
  'We.ird.T$1',
  'We.ird.a"b',
  ...extension,
  'log.audit',
  'log.entries',
  'public.old_orders',
  'public.orders',
  'shop.orders',
  'shop.orders_1',
];

test('everything: tables, partitioned ones, and an extension’s configuration with its condition', async () => {
  expect(await names({})).toEqual(everything);
  const tables = await select({});
  expect(tables.find(({ name }) => name === 'conf')).toMatchObject({
    extension: 'tiny',
    where: 'WHERE id > 10',
  });
  expect(tables.find(({ name }) => name === 'conf_all')).toMatchObject({
    extension: 'tiny',
    where: null,
  });
  expect(tables.find(({ schema, name }) => schema === 'shop' && name === 'orders')?.relkind).toBe(
    'p',
  );
});

const without = (...left: string[]) => everything.filter((name) => !left.includes(name));

test.each<[string, object, string[]]>([
  ['--schema', { schemas: ['shop'] }, ['shop.orders', 'shop.orders_1']],
  [
    '--schema with wildcard',
    { schemas: ['*o*'] },
    ['log.audit', 'log.entries', 'shop.orders', 'shop.orders_1'],
  ],
  ['a quoted schema', { schemas: ['"We.ird"'] }, ['We.ird.T$1', 'We.ird.a"b']],
  ['--schema of an extension’s tables', { schemas: ['ext'] }, extension],
  [
    '--exclude-schema',
    { excludeSchemas: ['log', 'ext'] },
    without('log.audit', 'log.entries', ...extension),
  ],
  [
    'exclusion wins',
    { schemas: ['shop', 'log'], excludeSchemas: ['log'] },
    ['shop.orders', 'shop.orders_1'],
  ],
  ['--table without a schema is what is visible', { tables: ['orders'] }, ['public.orders']],
  ['--table with any schema', { tables: ['*.orders'] }, ['public.orders', 'shop.orders']],
  ['--table with the database', { tables: ['DB.log.audit'] }, ['log.audit']],
  [
    'with --table, schemas have no say',
    { tables: ['log.audit'], excludeSchemas: ['log'], schemas: ['shop'] },
    ['log.audit'],
  ],
  [
    '--exclude-table',
    { excludeTables: ['*orders', 'log.*'] },
    without('log.audit', 'log.entries', 'public.old_orders', 'public.orders'),
  ],
  [
    '--exclude-table wins over --table',
    { tables: ['*orders'], excludeTables: ['old*'] },
    ['public.orders'],
  ],
  ['a configuration table by name', { tables: ['ext.conf'] }, ['ext.conf']],
  ['a configuration table excluded', { excludeTables: ['ext.conf_*'] }, without('ext.conf_all')],
  ['a view alone is no table and yet a match', { tables: ['v'] }, []],
  ['a sequence alone too', { tables: ['s'] }, []],
  ['a member of an extension that is no configuration', { tables: ['ext.internal'] }, []],
  ['regular expressions', { tables: ['log.(audit|entries)'] }, ['log.audit', 'log.entries']],
  ['a dollar is a dollar', { tables: ['"We.ird"."T$1"'] }, ['We.ird.T$1']],
  ['a quote in a name', { tables: ['"We.ird"."a""b"'] }, ['We.ird.a"b']],
  [
    'exclusions that match nothing are no error',
    { excludeTables: ['nope'], excludeSchemas: ['nope'] },
    everything,
  ],
])('%s', async (title, filters, expected) => {
  const named = JSON.parse(JSON.stringify(filters).replace('DB.', `${database.name}.`));
  expect(await names(named)).toEqual(expected);
  // pg_dump itself, with the same patterns; tables of an extension are not in its schema. Its stand-in does not know
  // the database's name.
  if (title.includes('with the database')) return;
  expect(await namesOfPgDump(named)).toEqual(expected.filter((name) => !name.startsWith('ext.')));
});

test.each<[object, string]>([
  [{ tables: ['orders', 'ordrs'] }, '--table "ordrs" matches nothing'],
  [{ schemas: ['sho'] }, '--schema "sho" matches nothing'],
  [{ tables: ['Log.Audit', '"Log".*'] }, '--table "\\"Log\\".*" matches nothing'],
  [{ tables: ['entries'] }, '--table "entries" matches nothing'],
  [{ schemas: ['pg_catalog'] }, '--schema "pg_catalog" matches nothing'],
  [{ tables: ['pg_class'] }, '--table "pg_class" matches nothing'],
  [{ tables: ['temporary'] }, '--table "temporary" matches nothing'],
])('%j: a pattern that matches nothing is named', async (filters, message) => {
  await expect(select(filters)).rejects.toMatchObject({
    name: 'PatternMatchesNothingError',
    message: expect.stringContaining(message),
  });
});

test('a broken expression is wrong use, and the session goes on with its empty search path', async () => {
  await expect(select({ tables: ['a('] })).rejects.toMatchObject({ name: 'UsageError' });
  expect(await session.query('SHOW search_path')).toEqual([{ search_path: '""' }]);
  expect(await names({ tables: ['orders'] })).toEqual(['public.orders']);
});

test('an unqualified pattern follows the search path of the role', async () => {
  await database.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = log', current_database()); END $$`,
  );
  await using other = await openSession(database.settings, {
    applicationName: 'test',
    purpose: 'control',
  });
  const tables = await selectTables(other, filtersSchema.parse({ tables: ['a*'] }));
  expect(tables.map(({ name }) => name)).toEqual(['audit']);
});

test('excluded data is said table by table', async () => {
  const tables = await select({ excludeTableData: ['log.*'] });
  const excluded = tables.filter(({ dataExcluded }) => dataExcluded !== null);
  expect(excluded.map(({ name, dataExcluded }) => [name, dataExcluded])).toEqual([
    ['entries', 'filter'],
    ['audit', 'filter'],
  ]);
});
