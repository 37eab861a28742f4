/** The last check: what rows are printed with and no lock holds still (labels, attributes, names behind numbers). */
import { expect, test } from 'vitest';
import { endHolders } from '../../core/snapshot/end-holders.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { releaseSnapshot } from '../../core/snapshot/release-snapshot.ts';
import { watchSnapshot } from '../../core/snapshot/watch-snapshot.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { holdersOf, sampleRun } from './support.ts';

const folder = temporaryFolders();

const types = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TYPE unused AS ENUM ('one', 'two');
  CREATE TYPE pair AS (a int, b mood);
  CREATE DOMAIN pairs AS pair[];
  CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.target (id int);
  CREATE FUNCTION pointed_at() RETURNS int LANGUAGE sql AS 'SELECT 1';`;
const column = (type: string) => `CREATE TABLE holder_of_type (id int, x ${type})`;

const caught = [
  [
    'a label',
    'mood',
    `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`,
    /enum label public\.mood 'sad'/,
  ],
  [
    'a label, inside an array of a composite in a domain',
    'pairs',
    `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`,
    /mood/,
  ],
  [
    'an attribute that is added to a composite type',
    'pair',
    'ALTER TYPE pair ADD ATTRIBUTE c int',
    /composite type pair/,
  ],
  [
    'an attribute that is dropped',
    'pair',
    'ALTER TYPE pair DROP ATTRIBUTE a',
    /composite type pair/,
  ],
  [
    'the schema behind a regclass',
    'regclass',
    'ALTER SCHEMA elsewhere RENAME TO nowhere',
    /elsewhere\.target/,
  ],
  [
    'the function behind a regproc',
    'regproc[]',
    'ALTER FUNCTION pointed_at() RENAME TO renamed',
    /function public\.pointed_at/,
  ],
  [
    'a function behind a regprocedure that is dropped',
    'regprocedure',
    'DROP FUNCTION pointed_at()',
    /pointed_at/,
  ],
  [
    'the type behind a regtype',
    'regtype',
    'ALTER TYPE unused RENAME TO used',
    /type public\.unused/,
  ],
  [
    'the schema behind a regnamespace',
    'regnamespace',
    'ALTER SCHEMA elsewhere RENAME TO nowhere',
    /schema elsewhere/,
  ],
] as const;

test.each(caught)(
  '%s: a change while rows are read is an error, and nothing is released as good',
  async (_, type, sql, message) => {
    await using database = await testDatabase('release');
    await database.query(types + column(type));
    const run = await sampleRun(await folder(), database.settings);
    await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
    await database.query(sql);
    await expect(releaseSnapshot(run.deps, { runId: run.runId })).rejects.toMatchObject({
      name: 'SchemaMovedError',
      message: expect.stringMatching(message),
    });
    expect(await watchSnapshot(run.deps, { runId: run.runId })).toMatchObject({
      isDone: false,
      holders: 2,
    });
    await endHolders(run.deps, run.runId);
  },
);

test.each([
  ['an aclitem', (role: string) => `INSERT INTO acl VALUES ('{${role}=r/postgres}')`],
  [
    'the rights of a large object',
    (role: string) => `SELECT lo_create(1); GRANT SELECT ON LARGE OBJECT 1 TO ${role}`,
  ],
])('the role behind %s: a new name while rows are read is an error', async (_, use) => {
  await using database = await testDatabase('release');
  const [role, renamed] = [`${database.name}_role`, `${database.name}_renamed`];
  await database.query(`CREATE ROLE ${role}; CREATE TABLE acl (x aclitem[])`);
  await database.query(use(role));
  const run = await sampleRun(await folder(), database.settings);
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  await database.query(`ALTER ROLE ${role} RENAME TO ${renamed}`);
  await expect(releaseSnapshot(run.deps, { runId: run.runId })).rejects.toMatchObject({
    name: 'SchemaMovedError',
    message: expect.stringContaining(`the role ${role}`),
  });
  await endHolders(run.deps, run.runId);
  await database.query(`DROP OWNED BY ${renamed}; DROP ROLE ${renamed}`);
});

test('schemas that change places behind the names of dumped tables are an error', async () => {
  await using database = await testDatabase('release');
  await database.query('CREATE SCHEMA live; CREATE SCHEMA next; CREATE TABLE live.t (n int)');
  const run = await sampleRun(await folder(), database.settings);
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  await database.query(
    'CREATE TABLE next.t (n int); ALTER SCHEMA live RENAME TO past; ALTER SCHEMA next RENAME TO live',
  );
  await expect(releaseSnapshot(run.deps, { runId: run.runId })).rejects.toMatchObject({
    name: 'TableChangedError',
    message: expect.stringContaining('"live"."t"'),
  });
  await endHolders(run.deps, run.runId);
});

test('changes that no dumped row is printed with do not fail the run', async () => {
  await using database = await testDatabase('release');
  await database.query(
    `${types}${column('pairs')}; CREATE TABLE left_out (x unused, y regproc, z aclitem)`,
  );
  const [seen, other] = [`${database.name}_seen`, `${database.name}_other`];
  await database.query(`CREATE ROLE ${seen}; CREATE ROLE ${other};
    SELECT lo_create(1); GRANT SELECT ON LARGE OBJECT 1 TO ${seen}`);
  const run = await sampleRun(await folder(), database.settings, {
    filters: { excludeTableData: ['left_out'] },
  });
  await holdSnapshot(run.deps, { runId: run.runId, attempt: 1 });
  await database.query(`ALTER TYPE unused RENAME VALUE 'one' TO 'eins'`);
  await database.query(`ALTER TYPE mood ADD VALUE 'calm'`);
  await database.query(
    'ALTER FUNCTION pointed_at() RENAME TO renamed; CREATE TABLE fresh (id int)',
  );
  await database.query(`REVOKE ALL ON LARGE OBJECT 1 FROM ${seen}; DROP ROLE ${other}`);
  expect(await releaseSnapshot(run.deps, { runId: run.runId })).toEqual({ ended: 2 });
  await database.query(`DROP ROLE ${seen}`);
  expect(await holdersOf(database, run.runId)).toBe(0);
});
