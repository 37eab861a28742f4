/** A superuser's backup, restored and drilled by a role that may not make all of it, as on RDS: named, and no damage. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAllEvidence } from '../../core/evidence/record.ts';
import { runDrill } from '../../local/engine/run-drill.ts';
import { collect, requestedBy } from '../backup/harness.ts';
import { sharedSettings } from '../support/postgres.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer, unique } from './shared-server.ts';

const role = unique('refused_role');
const connection = sharedSettings('postgres', role);
const roles = { noOwner: true, noPrivileges: true };
const [subscription, loose] = ['following', 'loose'];
let harness: RestoreHarness;

const detached = (name: string) =>
  `ALTER SUBSCRIPTION ${name} SET (slot_name = NONE); DROP SUBSCRIPTION ${name}`;

beforeAll(async () => {
  const password = pg.escapeLiteral((await connection.password?.()) ?? '');
  await onServer('postgres', `CREATE ROLE ${role} LOGIN CREATEDB PASSWORD ${password}`);
  harness = await makeRestoreHarness('refused', async (database) => {
    await database.query(`
      CREATE TABLE t (id int PRIMARY KEY);
      INSERT INTO t SELECT generate_series(1, 100);
      CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
      CREATE PUBLICATION everything FOR ALL TABLES;
      COMMENT ON PUBLICATION everything IS 'all of it';
      CREATE PUBLICATION some_of_it FOR TABLE t;
      CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public;
      CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION on_ddl();
      CREATE SUBSCRIPTION ${subscription} CONNECTION 'host=nowhere.invalid password=not-told-1'
        PUBLICATION there WITH (connect = false, slot_name = 'x');
      CREATE SUBSCRIPTION ${loose} CONNECTION 'host=nowhere.invalid'
        PUBLICATION there WITH (connect = false, slot_name = 'y');
      COMMENT ON SUBSCRIPTION ${subscription} IS 'from elsewhere';`);
  });
}, 120_000);

afterAll(async () => {
  for (const name of [subscription, loose]) {
    await onServer(harness.source.database.name, detached(name));
  }
  await harness[Symbol.asyncDispose]();
  await onServer('postgres', `DROP ROLE ${role}`);
});

const refused = [
  ['COMMENT PUBLICATION everything', 'publication "everything" does not exist'],
  ['COMMENT SUBSCRIPTION following', 'subscription "following" does not exist'],
  ['EVENT TRIGGER watching', 'permission denied to create event trigger "watching"'],
  ['PUBLICATION TABLES IN SCHEMA public.of_schema public', 'must be superuser to add'],
  ['PUBLICATION everything', 'must be superuser to create FOR ALL TABLES publication'],
  ['SUBSCRIPTION following', 'permission denied to create subscription'],
  ['SUBSCRIPTION loose', 'permission denied to create subscription'],
] as const;

describe('a role that is no superuser', { timeout: 180_000 }, () => {
  it('restores what it may, and the report names the rest, why, and what to run later', async () => {
    const report = await harness.restore({ roles }, { connection });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', error: null });
    const missing = report.differences.filter(({ kind }) => kind === 'not-restored');
    expect(missing.sort((a, b) => (a.object < b.object ? -1 : 1))).toEqual(
      refused
        .map(([object, why]) => ({
          ...{ kind: 'not-restored', object, left: 'there', isExpected: true },
          right: expect.stringContaining(`refused: ${why}`),
        }))
        .sort((a, b) => (a.object < b.object ? -1 : 1)),
    );
    const hints = report.warnings
      .filter(({ code }) => code === 'not-restored')
      .map(({ hint }) => hint);
    expect(hints).toHaveLength(5);
    expect(hints).toContainEqual(
      expect.stringMatching(/rds_superuser.*CREATE PUBLICATION everything FOR ALL TABLES/),
    );
    expect(JSON.stringify(report)).not.toContain('not-told-1');
    expect(
      await onServer(report.database as string, 'SELECT pubname FROM pg_publication ORDER BY 1'),
    ).toEqual([{ pubname: 'of_schema' }, { pubname: 'some_of_it' }]);
  });

  it('proves the backup in a drill, and the signed record names what was not restored', async () => {
    const { vaultDirectory, keyFile } = harness.source;
    const input = { target: 'here', requestedBy, roles };
    const report = await runDrill({ vaultDirectory, keyFile, connection, jobs: 2, input });
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical', error: null });
    const evidence = await collect(
      readAllEvidence(harness.source.deps, report.source, harness.backupId),
    );
    expect(evidence.filter(({ kind }) => kind === 'damaged')).toEqual([]);
    const [proven] = evidence.filter(({ kind }) => kind === 'proven');
    const notRestored = proven?.facts['notRestored'] as string[];
    expect(notRestored.sort()).toEqual(refused.map(([object]) => object).sort());
  });
});

describe('a role that may make subscriptions', { timeout: 180_000 }, () => {
  it('has made the one with a password, although pg_dump lists it to superusers alone', async () => {
    await onServer('postgres', `GRANT pg_create_subscription TO ${role}`);
    const report = await harness.restore(
      { roles, database: unique(harness.source.database.name) },
      { connection },
    );
    expect(report).toMatchObject({ state: 'succeeded', verdict: 'identical' });
    const database = report.database as string;
    expect(
      await onServer(
        database,
        'SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()',
      ),
    ).toEqual([{ subname: subscription }]);
    expect(report.differences).toContainEqual({
      ...{ kind: 'schema', object: `SUBSCRIPTION ${subscription}`, left: 'there' },
      ...{ right: 'there; its definition is shown to superusers only', isExpected: true },
    });
    expect(report.differences).toContainEqual(
      expect.objectContaining({
        ...{ kind: 'not-restored', object: `SUBSCRIPTION ${loose}`, isExpected: true },
        right: 'missing; refused: password is required',
      }),
    );
    await onServer(database, detached(subscription));
  });
});
