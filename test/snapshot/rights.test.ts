/** What is refused before anything is locked: missing rights, rows that a policy would hide, a lock table too small. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  applicationNameOf,
  applicationNamePrefixOf,
} from '../../core/postgres/application-name.ts';
import { openSession } from '../../core/postgres/session.ts';
import { endHolders } from '../../core/snapshot/end-holders.ts';
import { holdSnapshot } from '../../core/snapshot/hold-snapshot.ts';
import { importSnapshot } from '../../core/snapshot/import-snapshot.ts';
import { lockBudget } from '../../core/snapshot/lock-budget.ts';
import { readSnapshot } from '../../core/snapshot/marks.ts';
import type { EmbeddedServer } from '../../local/embedded-server.ts';
import { databaseOn, startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { holdersOf, sampleRun } from './support.ts';

const folder = temporaryFolders();
const dumper = { user: 'dumper', password: async () => 'p' };
let server: EmbeddedServer;

/** 10 × 20 = 200 locks, of which 100 may be ours: 50 tables. */
beforeAll(async () => {
  server = await startServer({
    settings: ['max_locks_per_transaction=10', 'max_connections=20', 'max_prepared_transactions=0'],
  });
  await using database = await databaseOn(server, 'roles');
  await database.query(`CREATE ROLE dumper LOGIN PASSWORD 'p'; CREATE ROLE stranger`);
});
afterAll(() => server.stop());

async function databaseAs(name: string, sql: string, input: object = {}) {
  const database = await databaseOn(server, name);
  await database.query(sql);
  const run = await sampleRun(await folder(), { ...database.settings, ...dumper }, input);
  return { database, ...run };
}

test('all tables that may not be read are named at once, for want of SELECT or of USAGE, and nothing is locked', async () => {
  const { database, deps, runId } = await databaseAs(
    'rights',
    `CREATE SCHEMA closed; GRANT USAGE ON SCHEMA public TO dumper;
     CREATE TABLE public.open_one (id int); CREATE TABLE public.secret (id int);
     CREATE TABLE public.half (a int, b int); CREATE TABLE closed.inside (id int);
     GRANT SELECT ON public.open_one, closed.inside TO dumper; GRANT SELECT (a) ON public.half TO dumper`,
  );
  await expect(holdSnapshot(deps, { runId, attempt: 1 })).rejects.toMatchObject({
    name: 'PermissionDeniedError',
    message: expect.stringMatching(/dumper may not read 3 tables: /),
    evidence: { tables: ['public.secret', 'public.half', 'closed.inside'] },
  });
  expect(await holdersOf(database, runId)).toBe(0);
  await database.query('GRANT pg_read_all_data TO dumper');
  expect(await holdSnapshot(deps, { runId, attempt: 1 })).toMatchObject({ tables: 4 });
  await endHolders(deps, runId);
  await database.query('REVOKE pg_read_all_data FROM dumper');
  await database.drop();
});

const policies = `
  CREATE TABLE plain (id int);
  CREATE TABLE by_policy (id int); ALTER TABLE by_policy ENABLE ROW LEVEL SECURITY;
  CREATE TABLE owned (id int); ALTER TABLE owned OWNER TO dumper; ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
  CREATE TABLE forced (id int); ALTER TABLE forced OWNER TO dumper;
  ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  INSERT INTO by_policy VALUES (1), (2); INSERT INTO forced VALUES (1);
  GRANT SELECT ON ALL TABLES IN SCHEMA public TO dumper;`;

test('all tables of which row security would hide rows are named; those of the owner are not, unless forced', async () => {
  const { database, deps, runId } = await databaseAs('policies', policies);
  await expect(holdSnapshot(deps, { runId, attempt: 1 })).rejects.toMatchObject({
    name: 'RowSecurityError',
    evidence: { tables: ['public.by_policy', 'public.forced'] },
  });
  await database.query('ALTER ROLE dumper BYPASSRLS');
  expect(await holdSnapshot(deps, { runId, attempt: 1 })).toMatchObject({ tables: 4 });
  await endHolders(deps, runId);
  await database.query('ALTER ROLE dumper NOBYPASSRLS');
  await database.drop();
});

test('tables whose rows are left out may have row security', async () => {
  const { database, deps, runId } = await databaseAs('excluded', policies, {
    filters: { excludeTableData: ['by_policy', 'forced'] },
  });
  expect(await holdSnapshot(deps, { runId, attempt: 1 })).toMatchObject({ tables: 4 });
  await endHolders(deps, runId);
  await database.drop();
});

test('a proof is believed only when the catalog shows it: USING (true) for our role, nothing restrictive', async () => {
  const options = { options: { rowSecurityProven: ['public.by_policy', 'public.forced'] } };
  const { database, deps, runId } = await databaseAs('proven', policies, options);
  const refused = async (tables: string[]) =>
    expect(holdSnapshot(deps, { runId, attempt: 1 })).rejects.toMatchObject({
      name: 'RowSecurityError',
      evidence: { tables: tables.map((name) => `public.${name}`) },
    });
  await refused(['by_policy', 'forced']);
  await database.query(`CREATE POLICY own ON forced USING (true);
    CREATE POLICY a ON by_policy FOR INSERT WITH CHECK (true);
    CREATE POLICY b ON by_policy FOR SELECT TO stranger USING (true);
    CREATE POLICY c ON by_policy FOR SELECT TO dumper USING (id < 2)`);
  await refused(['by_policy']);
  await database.query(`CREATE POLICY d ON by_policy TO dumper USING (true);
    CREATE POLICY e ON by_policy AS RESTRICTIVE USING (id < 2)`);
  await refused(['by_policy']);
  await database.query('DROP POLICY e ON by_policy');
  await holdSnapshot(deps, { runId, attempt: 1 });

  const record = await readSnapshot(deps.workspace, runId);
  expect(record.rowSecurityOnFor).toHaveLength(2);
  await using session = await openSession(await deps.connectionOf('shop'), {
    applicationName: 'x',
    purpose: 'worker',
  });
  await importSnapshot(session, record);
  await session.query('SET LOCAL row_security = on');
  expect(await session.query('SELECT count(*) FROM public.by_policy')).toEqual([{ count: '2' }]);
  await session.close();
  await endHolders(deps, runId);
  await database.drop();
});

test('more tables than half of the lock table takes: refused with the value to set, before anything is locked', async () => {
  const create = Array.from({ length: 51 }, (_, n) => `CREATE TABLE public.t${n} ()`).join(';');
  const { database, deps, runId } = await databaseAs(
    'many',
    `${create}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO dumper`,
  );
  await expect(holdSnapshot(deps, { runId, attempt: 1 })).rejects.toMatchObject({
    name: 'LockTableTooSmallError',
    message: expect.stringMatching(/51 tables needs 102 locks, 51 % of the server's 200/),
    hint: expect.stringContaining('max_locks_per_transaction = 11 '),
    evidence: { slots: 200, needed: 102, suggested: 11 },
  });
  expect(await holdersOf(database, runId)).toBe(0);
  await database.query('DROP TABLE public.t0');
  expect(await holdSnapshot(deps, { runId, attempt: 1 })).toMatchObject({ tables: 50 });
  await using session = await openSession(database.settings, {
    applicationName: 'x',
    purpose: 'control',
  });
  expect(await lockBudget(session, 50)).toEqual({
    slots: 200,
    needed: 100,
    fraction: 0.5,
    suggested: 10,
  });
  await session.close();
  await endHolders(deps, runId);
  await database.drop();
});

test('session names fit the server, differ between runs, and share the prefix of their run', () => {
  expect(applicationNameOf('run-1', 'unit-7')).toBe('holdfast/run-1/unit-7');
  const runs = [
    'run-1',
    'r',
    'x'.repeat(80),
    `${'x'.repeat(80)}y`,
    'a/b',
    'ä',
    'shop-20261121T042100Z-abcdef',
  ];
  for (const run of runs) {
    const name = applicationNameOf(run, 'holder-123456789');
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(name.startsWith(applicationNamePrefixOf(run))).toBe(true);
    expect(runs.filter((other) => name.startsWith(applicationNamePrefixOf(other)))).toEqual([run]);
  }
  expect(() => applicationNameOf('run-1', 'x'.repeat(21))).toThrow(/at most 20 bytes/);
});
