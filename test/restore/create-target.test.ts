import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFilters } from '../../core/contract/filters.ts';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { dropCreatedRoles } from '../../core/restore/create/roles.ts';
import { stateOf } from '../../core/restore/create/work-database.ts';
import { createTarget } from '../../core/restore/create-target.ts';
import { bookkeepingOwner, creationMarkOf, dropBookkeeping } from '../../core/restore/progress.ts';
import { openMaintenance, openTarget } from '../../core/restore/target-session.ts';
import { dumpSection } from '../../core/schema/dump-section.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { testDatabase } from '../support/postgres.ts';
import { type PlannedRestore, planRestoreHere } from './create-harness.ts';

const unique = randomBytes(4).toString('hex');
const owner = `create "owner" ${unique}`;
const group = `create_group_${unique}`;
const quoted = (name: string) => pg.escapeIdentifier(name);

let harness: Harness;
const made: RestoreRun[] = [];

beforeAll(async () => {
  harness = await makeHarness('create');
  await harness.database.query(`
    SET check_function_bodies = off;
    CREATE ROLE ${group};
    CREATE ROLE ${quoted(owner)} LOGIN CREATEDB IN ROLE ${group};
    CREATE SCHEMA ext;
    CREATE EXTENSION citext SCHEMA ext VERSION '1.5';
    CREATE SCHEMA "odd ""one";
    CREATE FUNCTION "odd ""one".small(int) RETURNS boolean LANGUAGE sql IMMUTABLE BEGIN ATOMIC
      SELECT CASE WHEN $1 < 10 THEN true ELSE false END; END;
    CREATE FUNCTION later() RETURNS text LANGUAGE sql AS 'SELECT no_such_thing FROM no_such_table';
    CREATE TABLE people (id int CONSTRAINT is_there NOT NULL PRIMARY KEY, name ext.citext,
      size int CHECK (size > 0));
    CREATE TABLE "odd ""one"."new
line" (v text);
    COMMENT ON TABLE "odd ""one"."new
line" IS 'a; b';
    CREATE MATERIALIZED VIEW names AS SELECT name FROM people;
    ALTER TABLE people OWNER TO ${quoted(owner)};
    GRANT SELECT ON people TO ${group};
    ALTER TABLE people ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON people TO ${quoted(owner)}, ${group} USING (name <> 'to ${group}');
    ALTER DEFAULT PRIVILEGES FOR ROLE ${quoted(owner)} GRANT SELECT ON TABLES TO ${group};
  `);
  await harness.runHere();
}, 60_000);

afterAll(async () => {
  await using admin = await testDatabase('create_cleanup');
  for (const run of made) {
    await admin.query(`DROP DATABASE IF EXISTS ${quoted(run.workDatabase)} WITH (FORCE)`);
  }
  await harness[Symbol.asyncDispose]();
  await admin.query(`DROP ROLE ${quoted(owner)}, ${group}`);
});

async function plan(
  input: Record<string, unknown> = {},
  more: Partial<RestoreRun> = {},
): Promise<PlannedRestore> {
  const planned = await planRestoreHere(harness, input, more);
  made.push(planned.run);
  return planned;
}

const create = ({ deps, run }: PlannedRestore) => createTarget(deps, { runId: run.runId });

async function preData(settings: typeof harness.database.settings): Promise<string> {
  await using session = await openSession(settings, { applicationName: 'x', purpose: 'worker' });
  const request = { section: 'pre-data', filters: noFilters, lockWaitMs: 5_000 } as const;
  return (await dumpSection(session, request)).sql;
}

/** Rows of a query in the restored database. */
async function inTarget<T extends object>({ deps, run }: PlannedRestore, sql: string) {
  await using session = await openTarget(deps, run, 'test');
  return await session.query<T>(sql);
}

test('the new database has the definitions of the source, and no rows', async () => {
  const planned = await plan({ options: { batchObjects: 3 } });
  const result = await create(planned);
  expect(result.tables).toBe(2);
  expect(result.statements).toBeGreaterThan(15);
  const { deps, run } = planned;
  await using session = await openTarget(deps, run, 'test');
  expect(await bookkeepingOwner(session, run)).toBe(run.runId);
  await dropBookkeeping(session, run);
  const settings = { ...harness.database.settings, database: run.workDatabase };
  expect(await preData(settings)).toBe(await preData(harness.database.settings));
  const [facts] = await session.query(
    `SELECT datconnlimit, (SELECT extversion FROM pg_extension WHERE extname = 'citext') AS citext
       FROM pg_database WHERE datname = current_database()`,
  );
  expect(facts).toEqual({ datconnlimit: -1, citext: '1.5' });
});

test('a second run finds all done, also when the first was stopped after any batch', async () => {
  const planned = await plan({ options: { batchObjects: 4 } });
  const expected = await create(planned);
  expect(await create(planned)).toEqual(expected);

  const stopped = await plan({ options: { batchObjects: 4 } });
  for (let allowed = 0; ; allowed += 1) {
    let events = 0;
    const progress = () => {
      events += 1;
      if (events > allowed) throw new Error('stopped');
    };
    const result = await createTarget(
      { ...stopped.deps, progress },
      { runId: stopped.run.runId },
    ).catch(() => undefined);
    if (result !== undefined) break;
  }
  expect(await create(stopped)).toEqual(expected);
});

describe('a database of that name', () => {
  test('that somebody else made is refused and stays as it is', async () => {
    const planned = await plan({}, { workDatabase: harness.database.name });
    made.pop();
    await expect(create(planned)).rejects.toMatchObject({ name: 'TargetExistsError' });
    expect(await harness.database.query('SELECT 1 AS one FROM people LIMIT 0')).toEqual([]);
  });

  test('that another restore made is refused', async () => {
    const first = await plan();
    await create(first);
    const second = await planRestoreHere(harness, {}, { workDatabase: first.run.workDatabase });
    await expect(create(second)).rejects.toMatchObject({ name: 'TargetExistsError' });
  });

  test('that this restore made right before it was stopped is gone on with', async () => {
    const planned = await plan();
    const { deps, run } = planned;
    await create(planned);
    // As it is between CREATE DATABASE and the bookkeeping: the mark is the connection limit.
    const twin = await plan();
    await using maintenance = await openMaintenance(deps, run, 'test');
    await maintenance.query(
      `CREATE DATABASE ${quoted(twin.run.workDatabase)} TEMPLATE template0 CONNECTION LIMIT ${creationMarkOf(twin.run)}`,
    );
    expect(await stateOf(deps, twin.run, maintenance)).toBe('marked');
    {
      await using session = await openTarget(deps, twin.run, 'test');
      expect(await bookkeepingOwner(session, twin.run)).toBe(twin.run.runId);
      expect(await bookkeepingOwner(session, run)).toBeUndefined();
    }
    await create(twin);
    expect(await stateOf(deps, twin.run, maintenance)).toBe('ours');
    const made = await inTarget(
      twin,
      `SELECT datconnlimit FROM pg_database WHERE datname = current_database()`,
    );
    expect(made).toEqual([{ datconnlimit: -1 }]);
  });
});

describe('roles', () => {
  const owners = (planned: PlannedRestore) =>
    inTarget<{ owner: string; acl: string | null; policy: string }>(
      planned,
      `SELECT pg_get_userbyid(relowner) AS owner, relacl::text AS acl FROM pg_class
        WHERE relname = 'people'`,
    );

  test('owners and rights are left away', async () => {
    const planned = await plan({ roles: { noOwner: true, noPrivileges: true } });
    await create(planned);
    expect(await owners(planned)).toEqual([{ owner: 'postgres', acl: null }]);
  });

  test('a role that may create databases is enough when they are left away', async () => {
    const weak = `create_weak_${unique}`;
    await harness.database.query(`CREATE ROLE ${weak} LOGIN CREATEDB PASSWORD 'weak'`);
    const planned = await plan({ roles: { noOwner: true, noPrivileges: true } });
    const settings = { ...harness.database.settings, database: 'postgres', user: weak };
    const connectionOf = async () => ({ ...settings, password: async () => 'weak' });
    await create({ ...planned, deps: { ...planned.deps, connectionOf } });
    expect(await owners(planned)).toEqual([{ owner: weak, acl: null }]);
    await harness.database.query(`DROP DATABASE ${quoted(planned.run.workDatabase)} WITH (FORCE)`);
    await harness.database.query(`DROP ROLE ${weak}`);
  });

  test('others take the place of those that the map names', async () => {
    const stand = `create_stand_in_${unique}`;
    await harness.database.query(`CREATE ROLE ${stand}`);
    const planned = await plan({ roles: { map: { [owner]: stand, [group]: 'pg_monitor' } } });
    await create(planned);
    const [row] = await owners(planned);
    expect(row).toMatchObject({ owner: stand });
    expect(row?.acl).toContain('pg_monitor=r/');
    expect(row?.acl).not.toContain(group);
    await harness.database.query(`DROP DATABASE ${quoted(planned.run.workDatabase)} WITH (FORCE)`);
    await harness.database.query(`DROP ROLE ${stand}`);
  });
});

test('a missing role is made without LOGIN only when that is asked for, and can be taken away', async () => {
  await using other = await makeHarness('create_roles');
  const [chief, member] = [`create_chief_${unique}`, `create_member_${unique}`];
  await other.database.query(`
    CREATE ROLE ${chief} LOGIN CREATEDB; CREATE ROLE ${member} LOGIN IN ROLE ${chief};
    CREATE TABLE t (); ALTER TABLE t OWNER TO ${member};`);
  await other.runHere();
  await other.database.query(`DROP OWNED BY ${member}, ${chief}; DROP ROLE ${member}, ${chief}`);

  const refused = await planRestoreHere(other);
  const wanted = await planRestoreHere(other, { roles: { createMissing: true } });
  const { deps, run } = wanted;
  made.push(refused.run, run);
  await expect(create(refused)).rejects.toMatchObject({
    name: 'RestoreStatementError',
    message: expect.stringMatching(/^TABLE public\.t: role "create_.*" does not exist/),
  });
  await create(wanted);
  const roles = () =>
    other.database.query(
      `SELECT rolname, rolcanlogin, ARRAY(SELECT roleid::regrole::text FROM pg_auth_members m
          WHERE m.member = r.oid) AS groups FROM pg_roles r WHERE rolname = ANY ($1) ORDER BY 1`,
      [[chief, member]],
    );
  expect(await roles()).toEqual([
    { rolname: chief, rolcanlogin: false, groups: [] },
    { rolname: member, rolcanlogin: false, groups: [chief] },
  ]);
  await create(wanted);
  await other.database.query(`DROP DATABASE ${quoted(run.workDatabase)} WITH (FORCE)`);
  await using maintenance = await openMaintenance(deps, run, 'test');
  expect((await dropCreatedRoles(deps, run, maintenance)).sort()).toEqual([chief, member]);
  expect(await roles()).toEqual([]);
});
