import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import { openSession } from '../../core/postgres/session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { splitEntries } from '../../core/schema/split-entries.ts';
import { splitStatements } from '../../core/schema/split-statements.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { databaseOn, startServer, type TestDatabase } from '../support/postgres.ts';
import { richSchema } from '../support/rich-schema.ts';

const sections = ['pre-data', 'post-data'] as const;
type Section = (typeof sections)[number];

async function dump(database: TestDatabase, section: Section): Promise<string> {
  await using session = await openSession(database.settings, {
    applicationName: 'holdfast/test/split',
    purpose: 'worker',
  });
  return (await dumpSection(session, { section, filters: noFilters, lockWaitMs: 5_000 })).sql;
}

describe('statements end at a semicolon, but not at one', () => {
  test.each([
    ['in a string', `SELECT 'a;b''c;'`],
    ['in a string with backslashes', String.raw`SELECT E'it\'s; ''so'';\\'`],
    ['behind a backslash in a plain string', String.raw`SELECT 'a\'`],
    ['in a name', 'CREATE TABLE "a;""b;" ("c;" int)'],
    ['in dollar quotes', 'CREATE FUNCTION f() AS $body$ a; $$ b; $x$ $body$ LANGUAGE sql'],
    ['in dollar quotes with letters of any script', 'SELECT $ünï$ ;$ünï$'],
    ['behind a parameter and a name with $', 'SELECT $1 + a$b$c(1)'],
    ['in a comment to the end of the line', "SELECT 1 -- it's; so\n + 1"],
    ['in nested comments', "SELECT 1 /* a; /* b; */ c; ' */ + 1"],
    ['behind an operator that touches a comment', 'SELECT 1 +/* ; */ 1'],
    [
      'in the parentheses of a rule',
      'CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)',
    ],
    [
      'in a body with CASE',
      'CREATE FUNCTION f("end" int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT (CASE WHEN true THEN 1 ELSE CASE 2 WHEN 1 THEN 2 END END); END',
    ],
    ['in a body in lower case', 'create procedure p(begin int) begin atomic select 1; end'],
  ])('%s', (_, statement) => {
    expect(splitStatements(`SELECT 0;\n${statement};;\n ; SELECT 2 ;`)).toEqual([
      'SELECT 0',
      statement,
      'SELECT 2',
    ]);
  });

  test('a name like a keyword opens nothing', () => {
    const sql = 'SELECT begin, x.case FROM public.begin; SELECT atomic';
    expect(splitStatements(sql)).toHaveLength(2);
  });

  test('a comment ends with a carriage return as well', () => {
    expect(splitStatements('-- a\rSELECT 1; -- b')).toEqual(['SELECT 1']);
  });

  test.each([
    "SELECT 'a",
    'SELECT "a',
    'SELECT $x$ a $y$',
    'SELECT /* /* */',
    String.raw`SELECT E'a\'`,
  ])('text that is cut off within %s is an error that does not quote it', (sql) => {
    expect(() => splitStatements(sql)).toThrow(/begins at character \d+/);
  });
});

describe('entries', () => {
  const entry = (type: string, name: string, sql: string) =>
    `--\n-- Name: ${name}; Type: ${type}; Schema: s; Owner: o\n--\n\n${sql}\n\n`;

  test('begin with a heading, and not with one in the body of a function', () => {
    const heading = entry('TABLE', 'x', '');
    const body = `CREATE FUNCTION s.f() AS $$ ;\n${heading}$$ LANGUAGE sql`;
    const { preamble, entries } = splitEntries(
      `SET a = 1;\n${entry('FUNCTION', 'f()', `${body};`)}${entry('ACL', 'TABLE x', 'GRANT 1;\nGRANT 2;')}`,
    );
    expect(preamble).toEqual(['SET a = 1']);
    expect(entries).toEqual([
      { type: 'FUNCTION', name: 'f()', schema: 's', owner: 'o', statements: [body] },
      { type: 'ACL', name: 'TABLE x', schema: 's', owner: 'o', statements: ['GRANT 1', 'GRANT 2'] },
    ]);
  });

  test('may be empty, lie outside of schemas and nobody may own them', () => {
    const { entries } = splitEntries(
      '-- Name: a; Type: B; x; Type: TABLE; Schema: -; Owner: -; Tablespace: t\n-- done',
    );
    expect(entries).toEqual([
      { type: 'TABLE', name: 'a; Type: B; x', schema: null, owner: null, statements: [] },
    ]);
  });

  test('have the settings that pg_dump wrote for them, in whatever session they run', () => {
    const { entries } = splitEntries(
      [
        `SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n`,
        entry('TABLE', 'plain', 'CREATE 1;'),
        'SET default_tablespace = fast;\n\n',
        entry('TABLE', 'fast 1', 'CREATE 2;'),
        entry('TABLE', 'fast 2', 'CREATE 3;'),
        `SET default_tablespace = '';\n\n`,
        entry('TABLE', 'plain again', 'CREATE 4;'),
        entry('TABLE', 'and again', 'CREATE 5;'),
      ].join(''),
    );
    const fast = 'SET default_tablespace = fast';
    expect(entries.map(({ statements }) => statements)).toEqual([
      [`SET default_tablespace = ''`, 'SET default_table_access_method = heap', 'CREATE 1'],
      [fast, 'CREATE 2'],
      [fast, 'CREATE 3'],
      [`SET default_tablespace = ''`, 'CREATE 4'],
      ['CREATE 5'],
    ]);
  });
});

describe('a database with nearly everything', () => {
  // Of its own: a database with a subscription is not simply dropped.
  let server: EmbeddedServer;
  let database: TestDatabase;
  const texts = new Map<Section, string>();
  beforeAll(async () => {
    server = await startServer();
    database = await databaseOn(server, 'split');
    // Statement by statement: what is written by hand is split, too.
    for (const statement of splitStatements(richSchema(18))) await database.query(statement);
    for (const section of sections) texts.set(section, await dump(database, section));
  });
  afterAll(() => server.stop());

  const headings = (sql: string) => sql.match(/^-- (Data for )?Name: .*; Type: /gm)?.length;

  test('every heading becomes an entry, with a statement unless pg_dump says nothing', () => {
    for (const sql of texts.values()) {
      const { entries } = splitEntries(sql);
      expect(entries).toHaveLength(headings(sql) ?? 0);
      expect(entries.filter(({ statements }) => statements.length === 0)).toEqual([]);
      expect(entries.every(({ schema }) => schema !== '')).toBe(true);
    }
  });

  test('the entries, each statement run alone, give the same database', async () => {
    const copy = await databaseOn(server, 'split_copy');
    for (const section of sections) {
      const { preamble, entries } = splitEntries(texts.get(section) ?? '');
      for (const statement of [...preamble, ...entries.flatMap(({ statements }) => statements)]) {
        await copy.query(statement);
      }
    }
    for (const section of sections) expect(await dump(copy, section)).toBe(texts.get(section));
  });

  test('the statements joined give the same database', async () => {
    const copy = await databaseOn(server, 'split_joined');
    for (const section of sections) {
      await copy.query(splitStatements(texts.get(section) ?? '').join(';\n'));
    }
    for (const section of sections) expect(await dump(copy, section)).toBe(texts.get(section));
  });
});
