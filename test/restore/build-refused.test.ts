/** What the target refuses: a warning where the restore can do without it, and an error that names it where not. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { HoldfastError } from '../../core/contract/errors.ts';
import { warningSchema } from '../../core/contract/manifest.ts';
import { runBuild } from '../../core/restore/build.ts';
import { buildError } from '../../core/restore/builds/statement-error.ts';
import { readFact } from '../../core/restore/restore-run.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { buildAll, type Loaded, loadRows, planAsIfLarge } from './build-harness.ts';

let harness: Harness;
let loaded: Loaded;
const role = 'holdfast_test_no_superuser';

beforeAll(async () => {
  harness = await makeHarness('build_refused');
  const password = pg.escapeLiteral((await harness.database.settings.password?.()) ?? '');
  await harness.database.query(`
    DROP ROLE IF EXISTS ${role};
    CREATE ROLE ${role} LOGIN CREATEDB PASSWORD ${password};
    CREATE TABLE t (id int PRIMARY KEY, v int);
    INSERT INTO t VALUES (1, 1), (2, 1);
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE PUBLICATION everything FOR ALL TABLES;
    COMMENT ON PUBLICATION everything IS 'all of it';
    CREATE PUBLICATION some_of_it FOR TABLE t;
    CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION on_ddl();
  `);
  const connectionOf = async () => sharedSettings('postgres', role);
  const weaker = { ...harness, database: { ...harness.database, settings: await connectionOf() } };
  loaded = await loadRows(weaker, { roles: { noOwner: true, noPrivileges: true } });
});
afterAll(async () => {
  await loaded?.[Symbol.asyncDispose]();
  await harness.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await harness?.[Symbol.asyncDispose]();
});

test('without a superuser: what only one may make is a warning with its name, the rest is there', async () => {
  await buildAll(loaded);
  const warnings = await Promise.all(
    (await loaded.builds()).map(({ build }) =>
      readFact(
        loaded.deps.workspace,
        loaded.run.runId,
        `warnings-build-${build}`,
        z.array(warningSchema),
      ),
    ),
  );
  const messages = warnings.flatMap((some) => some ?? []).map(({ message }) => message);
  expect(messages).toEqual([
    'PUBLICATION everything could not be restored: must be superuser to create FOR ALL TABLES publication',
    expect.stringContaining('"wal_level" is insufficient to publish logical changes'),
    'EVENT TRIGGER watching could not be restored: permission denied to create event trigger "watching"',
  ]);
  expect(await loaded.rows('SELECT pubname AS name FROM pg_publication')).toEqual([
    { name: 'some_of_it' },
  ]);
  expect(
    await loaded.rows(`SELECT conname AS name FROM pg_constraint WHERE contype = 'p'
     AND conrelid = 't'::regclass`),
  ).toEqual([{ name: 't_pkey' }]);
});

async function recordOf(build: number, statements: string[], kind: string): Promise<void> {
  const key = workspaceKeys.restorePart(loaded.run.runId, 'builds', build);
  const object = kind === 'index' ? { schema: 'public', name: 'once', table: 't' } : null;
  await putJson(loaded.deps.workspace, key, {
    ...{ build, kind, label: 'index public.once', object, statements },
  });
}

test('rows that are not unique: the index is named, no value is', async () => {
  await recordOf(500, ['CREATE UNIQUE INDEX once ON public.t (v)'], 'index');
  await expect(
    runBuild(loaded.deps, { runId: loaded.run.runId, build: 500 }),
  ).rejects.toMatchObject({
    name: 'RestoreStatementError',
    message: 'index public.once: could not create unique index "once" (SQLSTATE 23505)',
    hint: expect.stringContaining('duplicates'),
  });
});

test('a definition that fails is named, and its batch leaves nothing', async () => {
  const statements = [
    '-- STATISTICS public.fine\nCREATE STATISTICS public.fine ON id, v FROM public.t',
    '-- TRIGGER public.t touched\nCREATE TRIGGER touched AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.gone()',
  ];
  await recordOf(501, statements, 'statements');
  await expect(
    runBuild(loaded.deps, { runId: loaded.run.runId, build: 501 }),
  ).rejects.toMatchObject({
    name: 'RestoreStatementError',
    message: 'TRIGGER public.t touched: function public.gone() does not exist (SQLSTATE 42883)',
  });
  expect(await loaded.rows('SELECT stxname FROM pg_statistic_ext')).toEqual([]);
});

test('a batch that was done is not done again', async () => {
  await recordOf(502, ['CREATE STATISTICS public.again ON id, v FROM public.t'], 'statements');
  const input = { runId: loaded.run.runId, build: 502 };
  await runBuild(loaded.deps, input);
  await expect(runBuild(loaded.deps, input)).resolves.toMatchObject({ isDone: true, share: 1 });
});

test('a full disk is an error of its own, with the server’s words', () => {
  const cause = Object.assign(
    new pg.DatabaseError('could not extend file "base/1/2"', 1, 'error'),
    {
      code: '53100',
    },
  );
  const error = new HoldfastError('InternalError', 'The server: …', { cause });
  expect(buildError(error, 'index public.once')).toMatchObject({
    name: 'TargetFullError',
    message: 'index public.once: could not extend file "base/1/2"',
  });
});

test('in a plan for large tables the same index is built by itself', async () => {
  await planAsIfLarge(loaded);
  expect(await loaded.buildOf('index public.t_pkey')).toMatchObject({
    kind: 'index',
    statements: ["SET default_tablespace = ''", '@post-data 0.1 its index'],
  });
});
