import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { openSession, type Session } from '../../core/postgres/session.ts';
import { takeOffChecks } from '../../core/restore/create/take-off-checks.ts';
import { type DeferredCheck, readDeferredChecks } from '../../core/restore/deferred-checks.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import { identifier } from '../../core/schema/sql-text.ts';
import type { Workspace } from '../../core/vault/vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const temporaryFolder = temporaryFolders();
let database: TestDatabase;

const definitions = `
  CREATE SCHEMA ext;
  CREATE EXTENSION citext SCHEMA ext;
  CREATE TABLE allowed (v text);
  CREATE FUNCTION is_allowed(text) RETURNS boolean LANGUAGE sql AS
    'SELECT EXISTS (SELECT FROM allowed WHERE v = $1)';
  CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
  CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
  CREATE DOMAIN word AS text CONSTRAINT plain CHECK (VALUE <> '') CONSTRAINT "known ""word" CHECK (is_allowed(VALUE));
  COMMENT ON CONSTRAINT "known ""word" ON DOMAIN word IS 'of a domain';
  CREATE TABLE parent (id int CONSTRAINT positive CHECK (id > 0), v text CONSTRAINT known CHECK (is_allowed(v)));
  CREATE TABLE only_inherits () INHERITS (parent);
  CREATE TABLE has_its_own (CONSTRAINT known CHECK (is_allowed(v))) INHERITS (parent);
  CREATE TABLE grandchild (CONSTRAINT known CHECK (is_allowed(v))) INHERITS (has_its_own);
  CREATE TABLE a_no_inherit (id int CONSTRAINT one CHECK (id === 1) NO INHERIT);
  COMMENT ON CONSTRAINT one ON a_no_inherit IS 'it''s one';
  CREATE TABLE parts (id int, v text, CONSTRAINT in_part CHECK (is_allowed(v))) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE mails (m ext.citext CHECK (m OPERATOR(ext.~~) '%@%'::ext.citext));`;

const columns = `SELECT CASE conrelid WHEN 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END AS of, conname, contype, conislocal,
    coninhcount, connoinherit, convalidated, pg_get_constraintdef(oid) AS definition,
    obj_description(oid, 'pg_constraint') AS comment
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`;

beforeEach(async () => {
  database = await testDatabase('deferred');
  await database.query(definitions);
});
afterEach(() => database.drop());

async function prepare(runId: string) {
  const { deps: reading, workspace } = await sampleVault(await temporaryFolder());
  const deps = { ...reading, workspace };
  const run = {
    runId,
    input: { mode: 'into', options: { batchObjects: 2 } },
    backup: { source: 's', backupId: 'b' },
    workDatabase: database.name,
  } as RestoreRun;
  const session = await open();
  await createBookkeeping(session, run);
  return { deps, run, session };
}

const open = () =>
  openSession(database.settings, { applicationName: 'holdfast/deferred', purpose: 'writer' });

/** As a build does it, but at once. */
async function putBack(session: Session, checks: readonly DeferredCheck[]): Promise<void> {
  await session.query('SET search_path = public');
  for (const { schema, table, domain, name, definition, comment } of checks) {
    const owner = `${identifier(schema)}.${identifier(table ?? domain ?? '')}`;
    const kind = domain === null ? 'TABLE' : 'DOMAIN';
    await session.query(
      `ALTER ${kind} ${owner} ADD CONSTRAINT ${identifier(name)} ${definition} NOT VALID`,
    );
    await session.query(`ALTER ${kind} ${owner} VALIDATE CONSTRAINT ${identifier(name)}`);
    if (comment === null) continue;
    const on = domain === null ? owner : `DOMAIN ${owner}`;
    await session.query(
      `COMMENT ON CONSTRAINT ${identifier(name)} ON ${on} IS '${comment.replaceAll("'", "''")}'`,
    );
  }
  await session.query("SET search_path = ''");
}

test('checks that call functions of the database go, rows load in any order, and they come back as they were', async () => {
  const before = await database.query(columns);
  const { deps, run, session } = await prepare('r-checks');
  await using _ = session;
  await session.query('BEGIN');
  await expect(
    session.query(`COPY public.parent FROM PROGRAM 'printf "1\\tx\\n"'`),
  ).rejects.toThrow('relation "allowed" does not exist');
  await session.query('ROLLBACK');

  expect(await takeOffChecks(deps, run, session)).toBe(7);
  const off = (await readDeferredChecks(deps, run)).map(
    ({ table, domain, name }) => `${table ?? domain}.${name}`,
  );
  expect(off).toEqual([
    'word.known "word',
    'a_no_inherit.one',
    'mails.mails_m_check',
    'parent.known',
    'parts.in_part',
    'has_its_own.known',
    'grandchild.known',
  ]);
  const left = await database.query<{ of: string; conname: string }>(
    `SELECT * FROM (${columns}) c WHERE contype = 'c'`,
  );
  expect(left.map(({ of, conname }) => `${of}.${conname}`)).toEqual([
    'grandchild.positive',
    'has_its_own.positive',
    'only_inherits.positive',
    'parent.positive',
    'word.plain',
  ]);

  await session.query(`COPY public.parent FROM PROGRAM 'printf "1\\tx\\n"'`);
  await session.query(`INSERT INTO public.allowed VALUES ('x')`);
  await putBack(session, await readDeferredChecks(deps, run));
  expect(await database.query(columns)).toEqual(before);
});

test('stopped between two of them, a second attempt takes the rest off and remembers all', async () => {
  const before = await database.query(columns);
  const { deps, run, session: first } = await prepare('r-stopped');
  let statements = 0;
  const stopping = new Proxy(first, {
    get(target, key) {
      if (key !== 'query') return Reflect.get(target, key);
      return async (sql: string, values?: unknown[]) => {
        if (sql.startsWith('ALTER ')) statements += 1;
        if (statements > 4) throw new Error('stopped');
        return target.query(sql, values);
      };
    },
  });
  await expect(takeOffChecks(deps, run, stopping)).rejects.toThrow('stopped');
  await using session = await open();
  expect(await takeOffChecks(deps, run, session)).toBe(7);
  expect(await takeOffChecks(deps, run, session)).toBe(7);
  expect(await readDeferredChecks(deps, run)).toHaveLength(7);
  await session.query(`INSERT INTO public.allowed VALUES ('x')`);
  await putBack(session, await readDeferredChecks(deps, run));
  expect(await database.query(columns)).toEqual(before);
});

test('without the fact nothing is taken off', async () => {
  const { deps, run, session } = await prepare('r-unwritten');
  await using _ = session;
  const workspace = {
    put: async () => {
      throw new Error('no space');
    },
  } as unknown as Workspace;
  const before = await database.query(columns);
  await expect(takeOffChecks({ ...deps, workspace }, run, session)).rejects.toThrow('no space');
  expect(await database.query(columns)).toEqual(before);
});
