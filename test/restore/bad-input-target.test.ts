/** Bad input: a target that cannot take the backup. Preflight says so before anything is written, with what helps. */

import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedSettings, startServer } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { expectRefused, failedChecks } from './bad-input.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

const folders = temporaryFolders();
let harness: RestoreHarness;
let name: string;
/** Owned the table when the backup was taken; is gone now. */
let role: string;
beforeAll(async () => {
  const extensions = await folders();
  await makeExtension(extensions);
  harness = await makeRestoreHarness('bad_target', async (database) => {
    role = `${database.name}_owner`;
    await database.query(`
      ALTER DATABASE ${database.name} SET extension_control_path = '${extensions}:$system';
      SET extension_control_path = '${extensions}:$system';
      CREATE EXTENSION hf_only_here;
      CREATE ROLE ${role};
      CREATE TABLE items (id int PRIMARY KEY, v text);
      INSERT INTO items SELECT i, md5(i::text) FROM generate_series(1, 500) i;
      ALTER TABLE items OWNER TO ${role};`);
  });
  const { database } = harness.source;
  name = database.name;
  await database.query(`ALTER TABLE items OWNER TO postgres; DROP ROLE ${role}`);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** An extension that the source alone can see, by a setting of its database (PostgreSQL 18). */
async function makeExtension(folder: string): Promise<void> {
  const files = join(folder, 'extension');
  await mkdir(files);
  await writeFile(join(files, 'hf_only_here.control'), "default_version = '1.0'\n");
  await writeFile(
    join(files, 'hf_only_here--1.0.sql'),
    'CREATE FUNCTION here() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;',
  );
  for (const path of [folder, files]) await chmod(path, 0o755);
}

const preflight = {
  name: 'PreflightFailedError',
  hint: /Nothing was touched/,
  isBegun: true,
} as const;

/** A database with a row that nobody may lose. */
async function precious(suffix: string): Promise<string> {
  const own = harness.ownDatabase(`${name}_${suffix}`);
  await onServer('postgres', `CREATE DATABASE ${own} TEMPLATE template0`);
  await onServer(own, 'CREATE TABLE precious AS SELECT 42 AS a');
  return own;
}

describe('a restore to a server', { timeout: 180_000 }, () => {
  it('without an extension and a role of the backup names both at once, with the ways out', async () => {
    const error = await expectRefused(
      harness,
      {},
      { ...preflight, message: /hf_only_here 1\.0.*_owner/ },
    );
    expect(failedChecks(error)).toMatchObject([
      { check: 'extensions', hint: expect.stringMatching(/Install the packages/) },
      {
        check: 'roles',
        message: expect.stringContaining(role),
        hint: expect.stringMatching(
          /--create-missing-roles.*--role-map|--role-map.*--create-missing-roles/,
        ),
      },
    ]);
  });

  const hasOlder = existsSync(join(import.meta.dirname, '../../.matrix/node_modules/pg17/native'));
  it.skipIf(!hasOlder && process.env.CI === undefined)(
    'that is older than the source is refused (needs `npm run matrix:install`)',
    async () => {
      const older = await startServer({ major: 17 });
      try {
        const onOlder: typeof onServer = async (database, sql) => {
          const client = new pg.Client({ connectionString: older.url(database) });
          await client.connect();
          try {
            return (await client.query(sql)).rows as never;
          } finally {
            await client.end();
          }
        };
        const error = await expectRefused(
          harness,
          { roles: { createMissing: true } },
          { ...preflight, message: /PostgreSQL 17; the backup is of 18/, onTarget: onOlder },
          { connection: older.settings('postgres') },
        );
        const [first] = failedChecks(error);
        expect(first).toMatchObject({
          check: 'server-version',
          hint: expect.stringContaining('PostgreSQL 18 or newer'),
        });
      } finally {
        await older.stop();
      }
    },
  );

  it('that is not there, or does not know the password, is told as such', async () => {
    const connection = sharedSettings('postgres');
    const gone = await expectRefused(
      harness,
      {},
      { ...preflight, message: /server-reachable/ },
      { connection: { ...connection, port: 1 } },
    );
    expect(failedChecks(gone)).toMatchObject([{ hint: expect.stringMatching(/host, port/) }]);
    // Nothing was made there that would have to be cleared away.
    expect(gone.evidence.troubles).toBeUndefined();
    const refused = await expectRefused(
      harness,
      {},
      { ...preflight, message: /server-reachable/ },
      { connection: { ...connection, password: async () => 'not the password' } },
    );
    expect(failedChecks(refused)).toMatchObject([{ hint: expect.stringMatching(/password/) }]);
    expect(JSON.stringify([refused.message, refused.evidence])).not.toContain('not the password');
  });
});

describe('a restore to a database', { timeout: 180_000 }, () => {
  // Nothing else is in the way but what the test is about.
  const roles = { createMissing: true };
  const isOther = ({ check }: { check: string }) => check !== 'extensions';

  it('whose name is taken leaves that database alone', async () => {
    const taken = await precious('taken');
    const error = await expectRefused(
      harness,
      { database: taken, roles },
      { ...preflight, message: /There is a database ".*_taken" already/, contents: [taken] },
    );
    expect(failedChecks(error).filter(isOther)).toMatchObject([
      { check: 'name-free', hint: expect.stringMatching(/--name.*--mode swap/) },
    ]);
  });

  it('that others are connected to replaces it only with --disconnect, and names them', async () => {
    const live = await precious('live');
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port: sharedSettings('x').port, user: 'postgres', database: live },
      ...{ password: await sharedSettings('x').password(), application_name: 'the shop' },
    });
    await client.connect();
    try {
      const error = await expectRefused(
        harness,
        { mode: 'swap', database: live, roles },
        { ...preflight, message: /1 session .*the shop/, contents: [live] },
      );
      expect(failedChecks(error).filter(isOther)).toMatchObject([
        { check: 'sessions', hint: expect.stringContaining('--disconnect') },
      ]);
      // Still connected.
      expect((await client.query('SELECT a FROM precious')).rows).toEqual([{ a: 42 }]);
    } finally {
      await client.end();
    }
  });

  it.each(['swap', 'into'] as const)('that is not there is refused in mode %s', async (mode) => {
    const error = await expectRefused(
      harness,
      { mode, database: `${name}_nowhere`, roles },
      { ...preflight, message: /There is no database ".*_nowhere"/ },
    );
    expect(failedChecks(error).filter(isOther)).toMatchObject([
      { check: 'database-exists', hint: expect.stringContaining('--name') },
    ]);
  });
});
