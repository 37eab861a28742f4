/** What of a server's words holds values of rows, by what the server says for real. */
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { asSaid, messageOf, withoutLiterals } from '../../core/postgres/without-rows.ts';
import { failureOf } from '../../core/run/failure.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('without_rows');
  await database.query(`
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 5);
    CREATE TABLE t (id int PRIMARY KEY, email text, v short, CONSTRAINT at CHECK (email LIKE '%@%'));
    INSERT INTO t VALUES (77123, 'mark3r@x', NULL);
    CREATE TABLE child (t int REFERENCES t);
    CREATE TABLE short3 (v varchar(3));
    CREATE FUNCTION raises(state text) RETURNS void LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'mark3r' USING DETAIL = 'mark3r', HINT = 'mark3r', ERRCODE = state; END $$;
    CREATE FUNCTION runs(sql text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE sql; END $$;`);
  session = await openSession(database.settings, { applicationName: 'x', purpose: 'control' });
});
afterAll(async () => {
  await session?.close();
  await database?.drop();
});

test.each([
  ['a key twice', `INSERT INTO t VALUES (77123, 'mark3r@x')`, '23505', /"t_pkey"/],
  ['a failing row', `INSERT INTO t VALUES (1, 'mark3r')`, '23514', /"at"/],
  ['a null', `INSERT INTO t VALUES (NULL, 'mark3r@x')`, '23502', /"id"/],
  ['a missing parent', 'INSERT INTO child VALUES (77124)', '23503', /"child_t_fkey"/],
  ['a domain', `INSERT INTO t VALUES (2, 'a@b', 'mark3r')`, '23514', /domain short/],
  ['no number', `SELECT 'mark3r'::int`, '22P02', /for type integer: …$/],
  ['two numbers', `SELECT '77123 77124'::int`, '22P02', /for type integer: …$/],
  [
    'too large',
    `SELECT '77123771237712377123'::int`,
    '22003',
    /value … is out of range for type integer$/,
  ],
  ['no date', 'SELECT make_date(77123, 13, 1)', '22008', /out of range: …$/],
  ['no JSON', `SELECT '{mark3r}'::json`, '22P02', /type json$/],
  ['too long', `INSERT INTO short3 VALUES ('mark3r')`, '22001', /character varying\(3\)/],
  [
    'bytes',
    String.raw`SELECT convert_from('\xff6d61726b3372', 'UTF8')`,
    '22021',
    /encoding "UTF8": …$/,
  ],
  ['a text query', `SELECT to_tsquery('mark3r mark3r')`, '42601', /tsquery: …$/],
  ['raised', `SELECT raises('P0001')`, 'P0001', /a function raised P0001; .* server's log/],
  ['raised as another', `SELECT raises('23505')`, '23505', /a function raised 23505; /],
  [
    'raised with a state of its own',
    `SELECT raises('U0001')`,
    'U0001',
    /a function raised U0001; /,
  ],
  [
    'a statement in the context',
    `SELECT runs('SELECT ''mark3r''::int')`,
    '22P02',
    /PL\/pgSQL function .*runs\(text\) line 1 at EXECUTE/,
  ],
])('%s: what helps is told, no value is', async (_, sql, sqlstate, message) => {
  await session.query('SET search_path = public');
  const error = await session.query(sql).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ evidence: { sqlstate }, message: expect.stringMatching(message) });
  expect(inspect(error, { depth: null, showHidden: true })).not.toMatch(/mark3r|7712[34]/);
  expect(JSON.stringify(failureOf(error))).not.toMatch(/mark3r|7712[34]/);
  // The server did say it; who reads no rows may have it.
  const said = asSaid(error);
  expect(JSON.stringify([said?.message, said?.detail, said?.where, said?.hint])).toMatch(
    /mark3r|7712[34]|0xff|varying|domain/,
  );
});

test('schema, table, column and constraint are evidence', async () => {
  const error = await session
    .query(`INSERT INTO public.t VALUES (1, 'x')`)
    .catch((thrown) => thrown);
  expect(error.evidence).toEqual({
    sqlstate: '23514',
    schema: 'public',
    table: 't',
    constraint: 'at',
  });
  const none = await session.query(`INSERT INTO public.t VALUES (NULL)`).catch((thrown) => thrown);
  expect(none.evidence).toMatchObject({ table: 't', column: 'id' });
});

test('what tells of objects and sessions stays whole', async () => {
  const error = await session.query('DROP TABLE public.t').catch((thrown) => thrown);
  expect(error.message).toContain('constraint child_t_fkey on table child depends on table t');
  expect(error.evidence.serverHint).toContain('CASCADE');
  const unknown = await session.query('SELECT 1 FROM public.tt').catch((thrown) => thrown);
  expect(unknown.message).toContain('relation "public.tt" does not exist');
  const typed = await session.query('SELEC 1').catch((thrown) => thrown);
  expect(typed.message).toContain('syntax error at or near "SELEC"');
});

test('an error that no session mapped is told the same way', async () => {
  const raw = await session.client
    .query(`INSERT INTO public.t VALUES (77123)`)
    .catch((thrown) => thrown);
  expect(raw).toBeInstanceOf(pg.DatabaseError);
  expect(raw).not.toBeInstanceOf(HoldfastError);
  const failure = failureOf(raw);
  expect(failure).toMatchObject({ error: 'InternalError', evidence: { constraint: 't_pkey' } });
  expect(JSON.stringify(failure)).not.toContain('77123');
});

test('a warning that a function raises is told without its words, one of the server with them', () => {
  const said = { severity: 'WARNING', code: '01000', message: 'mark3r' };
  expect(messageOf({ ...said, routine: 'exec_stmt_raise' })).not.toContain('mark3r');
  expect(messageOf({ ...said, routine: 'CreatePublication' })).toBe('mark3r');
});

test.each([
  [`UPDATE "a'b" SET email = 'it''s', n = 77`, `UPDATE "a'b" SET email = '…', n = …`],
  [`INSERT INTO t2 VALUES ('cut of`, `INSERT INTO t2 VALUES ('…'`],
  [String.raw`SELECT 'a\', 'mark3r'`, `SELECT '…'`],
  ['DO $x$ mark3r $x$; SELECT $1', "DO '…'; SELECT $1"],
  ['LOCK TABLE part_1 /* user 7 */ -- mark3r', 'LOCK TABLE part_1  '],
])("another's statement %s is shown without its literals", (statement, shown) => {
  expect(withoutLiterals(statement)).toBe(shown);
});
