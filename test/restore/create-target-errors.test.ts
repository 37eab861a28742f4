import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RestoreRun, roleOptionsSchema } from '../../core/contract/restore.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { applyRoleOptions } from '../../core/restore/create/role-options.ts';
import { runBatches } from '../../core/restore/create/run-batches.ts';
import { withKnownTablespaces } from '../../core/restore/create/tablespaces.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import type { SchemaEntry } from '../../core/schema/split-entries.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await testDatabase('create_errors');
  session = await openSession(database.settings, { applicationName: 'x', purpose: 'writer' });
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const entry = (name: string, ...statements: string[]): SchemaEntry => ({
  ...{ type: 'TABLE', schema: 'public', owner: 'o' },
  name,
  statements,
});

async function run(runId: string, entries: SchemaEntry[]): Promise<void> {
  const record = {
    runId,
    input: { mode: 'into', options: { batchObjects: 10 } },
    backup: { backupId: 'b' },
    workDatabase: database.name,
  } as RestoreRun;
  await createBookkeeping(session, record);
  await runBatches(session, record, { preamble: ['SET client_min_messages = warning'], entries });
}

test('a statement that is refused is named, with what the server says and without values', async () => {
  const duplicate = `CREATE TABLE public.d (v text); INSERT INTO public.d VALUES ('secret'), ('secret');
    ALTER TABLE public.d ADD CONSTRAINT one UNIQUE (v)`;
  const entries = [entry('good', 'CREATE TABLE public.good ()'), entry('d', duplicate)];
  const failed = run('r-refused', entries);
  await expect(failed).rejects.toMatchObject({
    name: 'RestoreStatementError',
    message: 'TABLE public.d: could not create unique index "one" (SQLSTATE 23505)',
    retryable: false,
  });
  expect(await database.query(`SELECT to_regclass('good') AS good`)).toEqual([{ good: null }]);
});

test("the server's own hint is told, and for a missing right ours", async () => {
  const raise = (code: string, hint: string) =>
    entry('x', `DO $$ BEGIN RAISE 'no' USING ERRCODE = '${code}'${hint}; END $$`);
  await expect(run('r-hint', [raise('P0001', ", HINT = 'try that'")])).rejects.toMatchObject({
    name: 'RestoreStatementError',
    hint: 'try that',
  });
  await expect(run('r-right', [raise('42501', '')])).rejects.toMatchObject({
    name: 'RestoreStatementError',
    hint: expect.stringContaining('--no-owner'),
  });
});

test('a full disk is an error of its own', async () => {
  const full = `DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$`;
  await expect(run('r-full', [entry('x', full)])).rejects.toMatchObject({
    name: 'TargetFullError',
    message: expect.stringContaining('could not extend file'),
  });
});

test('an entry whose statement worked at the second try does not fail the batch', async () => {
  await database.query('CREATE SEQUENCE tries');
  // A sequence does not go back with its transaction.
  const flaky = `DO $$ BEGIN IF nextval('public.tries') = 1 THEN RAISE 'deadlock'; END IF; END $$`;
  await run('r-flaky', [entry('a', 'CREATE TABLE public.a ()'), entry('b', flaky)]);
  expect(await database.query(`SELECT to_regclass('a')::text AS a`)).toEqual([{ a: 'a' }]);
});

test('a mapped role is replaced where a role stands, and nowhere else', () => {
  const statements = [
    'ALTER TABLE public.old OWNER TO old',
    'GRANT SELECT(old) ON TABLE public.old TO old WITH GRANT OPTION',
    'REVOKE ALL ON FUNCTION public.f(old) FROM old',
    'ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA old GRANT SELECT ON TABLES TO old',
    `CREATE POLICY old ON public.old AS RESTRICTIVE FOR SELECT TO old, other, "Old" USING ((old = 'to old'))`,
    'CREATE USER MAPPING FOR old SERVER old',
    'SET SESSION AUTHORIZATION old',
    'GRANT ALL ON SCHEMA old TO PUBLIC',
    'CREATE FUNCTION old() AS $$ GRANT x TO old $$',
    `COMMENT ON TABLE old IS 'OWNER TO old'`,
  ];
  const options = roleOptionsSchema.parse({ map: { old: 'new "one"', Old: 'plain' } });
  const [mapped] = applyRoleOptions([{ ...entry('x', ...statements), owner: 'old' }], options);
  const to = '"new ""one"""';
  expect(mapped).toMatchObject({
    owner: 'new "one"',
    statements: [
      `ALTER TABLE public.old OWNER TO ${to}`,
      `GRANT SELECT(old) ON TABLE public.old TO ${to} WITH GRANT OPTION`,
      `REVOKE ALL ON FUNCTION public.f(old) FROM ${to}`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${to} IN SCHEMA old GRANT SELECT ON TABLES TO ${to}`,
      `CREATE POLICY old ON public.old AS RESTRICTIVE FOR SELECT TO ${to}, other, "plain" USING ((old = 'to old'))`,
      `CREATE USER MAPPING FOR ${to} SERVER old`,
      `SET SESSION AUTHORIZATION ${to}`,
      ...statements.slice(7),
    ],
  });
});

test('without owners and privileges nothing of them is left', () => {
  const options = roleOptionsSchema.parse({ noOwner: true, noPrivileges: true });
  const view = `CREATE VIEW v AS SELECT 'ALTER x OWNER TO y'`;
  const table = entry('x', view, 'ALTER VIEW public."OWNER TO x" OWNER TO "o;"');
  const acl = { ...entry('TABLE x', 'GRANT ALL ON TABLE x TO y'), type: 'ACL' };
  const defaults = { ...acl, type: 'DEFAULT ACL' };
  expect(applyRoleOptions([table, acl, defaults], options)).toEqual([
    { ...table, owner: null, statements: [view] },
  ]);
});

test("a tablespace that the target does not have gives way to the server's default", async () => {
  const inTablespace = (name: string, space: string) =>
    entry(name, `SET default_tablespace = ${space}`, `CREATE TABLE public.${name} ()`);
  const wanted = [
    inTablespace('far', '"odd ""disk"'),
    inTablespace('near', 'pg_default'),
    entry('plain', "SET default_tablespace = ''", 'CREATE TABLE public.plain ()'),
  ];
  const known = await withKnownTablespaces(session, wanted);
  expect(known.map(({ statements }) => statements[0])).toEqual([
    "SET default_tablespace = ''",
    'SET default_tablespace = pg_default',
    "SET default_tablespace = ''",
  ]);
  await run('r-spaces', known);
});
