import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { sharedSettings, type TestDatabase, testDatabase } from '../support/postgres.ts';
import { roleOf } from '../support/role-of.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { only, type PreflightCase, preflightCase, withInventory } from './preflight-support.ts';

const folder = temporaryFolders();
const role = `pf_plain_${process.pid}`;
const other = `pf_other_${process.pid}`;
let at: PreflightCase;
let database: TestDatabase;
let admin: pg.Client;
let asRole: ConnectionSettings;

beforeAll(async () => {
  at = await preflightCase(await folder(), sharedSettings('postgres'));
  database = await testDatabase('preflight');
  // Of no database that is looked at.
  admin = new pg.Client({ connectionString: database.url.replace(database.name, 'postgres') });
  await admin.connect();
  await admin.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'pf'; CREATE ROLE ${other} LOGIN PASSWORD 'pf'`,
  );
  asRole = { ...sharedSettings('postgres', role), password: async () => 'pf' };
});
afterAll(async () => {
  await database.drop();
  await admin.query(`DROP ROLE ${role}; DROP ROLE ${other}`);
  await admin.end();
});

const swap = (more: object = {}) => ({ mode: 'swap', database: database.name, ...more });

describe('names of databases', () => {
  it('new: one that is taken fails', async () => {
    const seen = await at.run({ database: database.name });
    expect(only(seen, 'name-free')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringContaining('--mode swap'),
    });
    expect(seen.items.some(({ check }) => check === 'database-exists')).toBe(false);
  });

  it('new: both the working and the final name must be free', async () => {
    const name = `${database.name}_fresh`;
    const seen = await at.run({ database: name });
    expect(only(seen, 'name-free')).toMatchObject({
      verdict: 'ok',
      message: expect.stringContaining(JSON.stringify(name)),
    });
    expect(seen.workDatabase).not.toBe(name);
    await admin.query(`CREATE DATABASE ${seen.workDatabase} TEMPLATE template0`);
    try {
      expect(only(await at.run({ database: name }), 'name-free')).toMatchObject({
        verdict: 'failed',
        hint: expect.stringContaining('left from an earlier restore'),
      });
    } finally {
      await admin.query(`DROP DATABASE ${seen.workDatabase}`);
    }
  });

  it('swap and into: one that is missing fails, in the words of the mode', async () => {
    for (const [mode, words] of [
      ['swap', 'replace'],
      ['into', 'write into'],
    ]) {
      const item = only(await at.run({ mode, database: 'pf_no_such' }), 'database-exists');
      expect(item).toMatchObject({
        verdict: 'failed',
        message: expect.stringContaining(words ?? ''),
      });
    }
  });

  it('swap: names a work database and one to be put aside, both free', async () => {
    const seen = await at.run(swap());
    expect(only(seen, 'name-free').verdict).toBe('ok');
    expect(seen.finalDatabase).toBe(database.name);
    expect(seen.previousDatabase).toBe(`${database.name}_before_0123abcd`);
    expect(seen.workDatabase).toMatch(new RegExp(`^${database.name}_restore_`));
    await admin.query(`CREATE DATABASE ${seen.previousDatabase} TEMPLATE template0`);
    try {
      const item = only(await at.run(swap()), 'name-free');
      expect(item).toMatchObject({
        verdict: 'failed',
        message: expect.stringContaining(seen.previousDatabase ?? '?'),
      });
    } finally {
      await admin.query(`DROP DATABASE ${seen.previousDatabase}`);
    }
  });

  it('swap: the database of the connection itself is renamed from one beside it, which must let us in', async () => {
    const own = await at.run(swap(), { connection: database.settings });
    expect(only(own, 'database-exists')).toMatchObject({ verdict: 'ok' });
    const input = { mode: 'swap', database: 'postgres' };
    await admin.query('REVOKE CONNECT ON DATABASE template1 FROM PUBLIC');
    try {
      expect(only(await at.run(input, { connection: asRole }), 'database-exists')).toMatchObject({
        verdict: 'failed',
        message: expect.stringContaining('"template1" does not let this role in'),
        hint: expect.stringContaining('postgresql://…/another'),
      });
    } finally {
      await admin.query('GRANT CONNECT ON DATABASE template1 TO PUBLIC');
    }
  });

  it('swap: a template is left alone', async () => {
    const template = await at.run({ mode: 'swap', database: 'template1' });
    expect(only(template, 'database-exists')).toMatchObject({
      verdict: 'failed',
      message: expect.stringContaining('template'),
    });
  });
});

describe('into a database that exists', () => {
  it('what was chosen is looked at together with what is there', async () => {
    await database.query('CREATE SCHEMA shop; CREATE TABLE shop.clients (id int, note text)');
    const into = (onConflict?: string) => ({
      mode: 'into',
      database: database.name,
      selection: { tables: ['shop.clients'], ...(onConflict === undefined ? {} : { onConflict }) },
    });
    expect(only(await at.run(into()), 'into')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringContaining('--on-conflict'),
    });
    expect(only(await at.run(into('error')), 'into').verdict).toBe('ok');
    // Its owner is no role of this server, which matters only where the table is made.
    expect(only(await at.run(into('error')), 'roles')).toMatchObject({
      verdict: 'warning',
      hint: expect.stringContaining('--no-owner'),
    });
    await database.query('DROP SCHEMA shop CASCADE');
  });
});

describe('what hangs on the database that is swapped away', () => {
  it('sessions fail it, with --disconnect they are a warning', async () => {
    // That of the fixture itself.
    expect(only(await at.run(swap()), 'sessions')).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(/1 session on .*1 of postgres/),
      hint: expect.stringContaining('--disconnect'),
    });
    expect(only(await at.run(swap({ disconnect: true })), 'sessions').verdict).toBe('warning');
  });

  it('sessions that the role may not end fail it even then', async () => {
    const seen = await at.run(swap({ disconnect: true }), { connection: asRole });
    expect(only(seen, 'sessions')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringContaining('pg_signal_backend'),
    });
  });

  it('a subscription is named', async () => {
    await database.query(
      "CREATE SUBSCRIPTION pf_sub CONNECTION 'host=127.0.0.1 port=1' PUBLICATION x WITH (connect = false)",
    );
    try {
      expect(only(await at.run(swap()), 'replication')).toMatchObject({
        verdict: 'warning',
        message: expect.stringContaining('pf_sub'),
      });
    } finally {
      await database.query(
        'ALTER SUBSCRIPTION pf_sub SET (slot_name = NONE); DROP SUBSCRIPTION pf_sub',
      );
    }
    expect(only(await at.run(swap()), 'replication').verdict).toBe('ok');
  });

  it('whether a backup of it is taken first is said', async () => {
    expect(only(await at.run(swap()), 'safety-backup').verdict).toBe('ok');
    const without = await at.run(swap({ safetyBackup: false }));
    expect(only(without, 'safety-backup').verdict).toBe('warning');
    const into = { mode: 'into', database: database.name, safetyBackup: false };
    expect(only(await at.run(into), 'safety-backup').verdict).toBe('ok');
    const replace = await at.run({ ...into, selection: { onConflict: 'replace' } });
    expect(only(replace, 'safety-backup').verdict).toBe('warning');
  });

  it('where only deployed sources can be backed up, one that is none fails before anything begins', async () => {
    const sourceOf = async (name: string) => {
      throw new HoldfastError('ConnectionNotFoundError', `There is no source ${name}.`);
    };
    const seen = await at.run(swap(), { deps: { sourceOf } });
    expect(only(seen, 'safety-backup')).toMatchObject({
      verdict: 'failed',
      hint: expect.stringContaining('sources of the environment'),
    });
    const without = await at.run(swap({ safetyBackup: false }), { deps: { sourceOf } });
    expect(only(without, 'safety-backup').verdict).toBe('warning');
  });
});

describe('rights', () => {
  it('new needs CREATEDB, swap the ownership as well, into CREATE on the database', async () => {
    const look = async (request: object) =>
      only(await at.run(request, { connection: asRole }), 'rights');
    expect(await look({})).toMatchObject({
      verdict: 'failed',
      hint: expect.stringContaining('CREATEDB'),
    });
    await admin.query(`ALTER ROLE ${role} CREATEDB`);
    expect((await look({})).verdict).toBe('ok');
    expect(await look(swap())).toMatchObject({
      verdict: 'failed',
      message: expect.stringContaining('does not own'),
    });
    const into = { mode: 'into', database: database.name };
    expect((await look(into)).verdict).toBe('failed');
    await admin.query(`GRANT CREATE ON DATABASE ${database.name} TO ${role}`);
    expect((await look(into)).verdict).toBe('ok');
    await admin.query(`REVOKE CREATE ON DATABASE ${database.name} FROM ${role}`);
    await admin.query(`ALTER DATABASE ${database.name} OWNER TO ${role}`);
    expect((await look(swap())).verdict).toBe('ok');
    // A rename asks for the owner's rights, which a member without INHERIT has not.
    await admin.query(`ALTER DATABASE ${database.name} OWNER TO ${other}`);
    await admin.query(`GRANT ${other} TO ${role} WITH INHERIT FALSE`);
    expect((await look(swap())).verdict).toBe('failed');
    await admin.query(`REVOKE ${other} FROM ${role}`);
    await admin.query(`ALTER DATABASE ${database.name} OWNER TO postgres`);
  });

  it('a role that may not give objects to their owners is told whose', async () => {
    const manifest = withInventory(at.manifest, {
      roles: [roleOf(other)],
      database: { ...at.manifest.inventory.database, owner: other },
    });
    const look = async (roles: object) =>
      only(await at.run({ roles }, { manifest, connection: asRole }), 'ownership');
    expect(await look({})).toMatchObject({
      verdict: 'failed',
      message: expect.stringContaining(other),
    });
    expect((await look({ noOwner: true })).verdict).toBe('ok');
    expect((await look({ map: { [other]: role } })).verdict).toBe('ok');
    await admin.query(`GRANT ${other} TO ${role}`);
    expect((await look({})).verdict).toBe('ok');
    await admin.query(`REVOKE ${other} FROM ${role}`);
  });

  it('a role that may not create roles cannot create the missing ones', async () => {
    const manifest = withInventory(at.manifest, { roles: [roleOf('pf_gone')] });
    const seen = await at.run({ roles: { createMissing: true } }, { manifest, connection: asRole });
    expect(only(seen, 'roles')).toMatchObject({
      verdict: 'failed',
      message: expect.stringContaining('pf_gone'),
    });
  });

  it("the role's own limit of connections counts", async () => {
    await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT 3`);
    const seen = await at.run({ options: { jobs: 4 } }, { connection: asRole });
    expect(only(seen, 'connections')).toMatchObject({
      verdict: 'failed',
      message: expect.stringContaining('the role may have 3'),
      hint: expect.stringContaining('--jobs 1 '),
    });
    await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
  });

  it('an extension that only a superuser may create', async () => {
    const manifest = withInventory(at.manifest, {
      extensions: [{ name: 'pageinspect', version: '1.0', schema: 'public', isTrusted: false }],
    });
    const available = await admin.query(
      "SELECT FROM pg_available_extensions WHERE name = 'pageinspect'",
    );
    const seen = only(await at.run({}, { manifest, connection: asRole }), 'extensions');
    expect(seen).toMatchObject({
      verdict: 'failed',
      message: expect.stringMatching(available.rowCount === 0 ? /does not have/ : /superuser/),
    });
  });
});

it('the preflight leaves nothing behind, whatever it tried', async () => {
  const before = await admin.query('SELECT count(*) FROM pg_collation');
  await at.run(swap(), { connection: asRole });
  const after = await admin.query('SELECT count(*) FROM pg_collation');
  expect(after.rows).toEqual(before.rows);
  const sessions = async () =>
    (
      await admin.query(
        "SELECT FROM pg_stat_activity WHERE application_name = 'holdfast/preflight' AND usename = $1",
        [role],
      )
    ).rowCount;
  await expect.poll(sessions).toBe(0);
});
