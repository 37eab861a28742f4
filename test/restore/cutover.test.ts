import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { roleOptionsSchema } from '../../core/contract/restore.ts';
import { withRoleOptions } from '../../core/restore/cutover/settings.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { getJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { fillShop } from '../backup/harness.ts';
import { type CutoverHarness, makeCutoverHarness, makeWorkDatabase } from './cutover-harness.ts';
import { databases, dropDatabases, onServer, unique } from './shared-server.ts';

let harness: CutoverHarness;
let deps: Deps;
let manifest: Manifest;
const owner = unique('cutover_owner');

beforeAll(async () => {
  harness = await makeCutoverHarness('cutover', async (database) => {
    await fillShop(database);
    await database.query(`
      CREATE ROLE ${owner};
      ALTER DATABASE ${database.name} OWNER TO ${owner};
      ALTER DATABASE ${database.name} SET default_transaction_read_only = on;
      ALTER DATABASE ${database.name} SET work_mem = '5MB';
      ALTER DATABASE ${database.name} CONNECTION LIMIT 7;
      COMMENT ON DATABASE ${database.name} IS 'the shop';
      GRANT CREATE ON DATABASE ${database.name} TO pg_monitor`);
  });
  ({ deps, manifest } = harness);
});

afterAll(async () => {
  await harness?.[Symbol.asyncDispose]();
  await onServer('postgres', `DROP ROLE IF EXISTS ${owner}`);
});

async function standing(input: Record<string, unknown> = {}, finalDatabase = unique('final')) {
  const workDatabase = unique('shop_restore');
  const run = await harness.plan({ input, workDatabase, finalDatabase });
  await makeWorkDatabase(run);
  return run;
}

const facts = (name: string) =>
  onServer<Record<string, unknown>>(
    'postgres',
    `SELECT pg_get_userbyid(datdba) AS owner, datconnlimit AS limit, shobj_description(oid, 'pg_database') AS comment,
            has_database_privilege('pg_monitor', oid, 'CREATE') AS granted,
            (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = oid AND setrole = 0) AS settings
       FROM pg_database WHERE datname = $1`,
    [name],
  );

describe('cutover of a new database', () => {
  test('gives it its name, and owner, rights, limit, comment and settings of the backup', async () => {
    const run = await standing();
    expect(await cutover(deps, { runId: run.runId })).toEqual({
      database: run.finalDatabase,
      previousDatabase: null,
    });
    expect(await databases([run.workDatabase, run.finalDatabase])).toEqual([run.finalDatabase]);
    expect(await facts(run.finalDatabase)).toEqual([
      {
        owner,
        limit: 7,
        comment: 'the shop',
        granted: true,
        settings: expect.arrayContaining(['default_transaction_read_only=on', 'work_mem=5MB']),
      },
    ]);
    const schemas = await onServer(
      run.finalDatabase,
      `SELECT FROM pg_namespace WHERE nspname LIKE 'holdfast%'`,
    );
    expect(schemas).toEqual([]);
  });

  test('is done once: again after all of it, and after each lost answer', async () => {
    const run = await standing();
    const { runId } = run;
    await cutover(deps, { runId });
    const first = await facts(run.finalDatabase);
    await cutover(deps, { runId });
    // The renames were done, and the worker died before it could say so.
    await deps.workspace.delete(workspaceKeys.restoreFact(runId, 'cutover'));
    expect(await cutover(deps, { runId })).toMatchObject({ database: run.finalDatabase });
    expect(await facts(run.finalDatabase)).toEqual(first);
  });

  test('goes on when settings and bookkeeping were done, and the rename was not', async () => {
    const run = await standing();
    await onServer('postgres', `CREATE DATABASE ${run.finalDatabase} TEMPLATE template0`);
    await expect(cutover(deps, { runId: run.runId })).rejects.toThrow(
      expect.objectContaining({ name: 'TargetExistsError' }),
    );
    await dropDatabases([run.finalDatabase]);
    expect(await cutover(deps, { runId: run.runId })).toMatchObject({
      database: run.finalDatabase,
    });
  });

  test('keeps a name that is final already', async () => {
    const name = unique('same');
    const run = await harness.plan({ workDatabase: name });
    await makeWorkDatabase(run);
    expect(await cutover(deps, { runId: run.runId })).toMatchObject({ database: name });
    expect(await cutover(deps, { runId: run.runId })).toMatchObject({ database: name });
  });

  test('refuses a database that is not the one of this run', async () => {
    const run = await standing();
    await onServer(run.workDatabase, 'UPDATE holdfast_restore.run SET run_id = $1', ['another']);
    await expect(cutover(deps, { runId: run.runId })).rejects.toThrow(/is not the one that/);
  });

  test('runs the hook after it, once; its failure is a warning', async () => {
    const run = await standing({ hooks: { afterCutover: 'restart it' } });
    const calls: unknown[] = [];
    const withShell: Deps = {
      ...deps,
      runCommand: async (command, environment) => {
        calls.push([command, environment.HOLDFAST_DATABASE, await databases([run.finalDatabase])]);
        return { exitCode: 3, output: 'no such service' };
      },
    };
    await cutover(withShell, { runId: run.runId });
    await cutover(withShell, { runId: run.runId });
    expect(calls).toEqual([['restart it', run.finalDatabase, [run.finalDatabase]]]);
    const key = workspaceKeys.restoreFact(run.runId, 'warnings-hook');
    expect(await getJson(deps.workspace, z.array(z.unknown()), key)).toMatchObject([
      { code: 'after-cutover-hook-failed', message: expect.stringContaining('no such service') },
    ]);
  });

  test('does not run the hook again that was begun and lost, and says that it may have run', async () => {
    const run = await standing({ hooks: { afterCutover: 'restart it' } });
    const commands: string[] = [];
    const dying: Deps = {
      ...deps,
      runCommand: async (command, _environment, limits) => {
        expect(limits?.timeoutMs).toBeGreaterThan(800_000);
        expect(limits?.signal?.aborted).toBe(false);
        commands.push(command);
        return { exitCode: 0, output: '' };
      },
    };
    const hookFact = workspaceKeys.restoreFact(run.runId, 'warnings-hook');
    const put = dying.workspace.put.bind(dying.workspace);
    const death = vi.spyOn(dying.workspace, 'put').mockImplementation(async (key, ...rest) => {
      if (key === hookFact) throw new Error('killed');
      return put(key, ...rest);
    });
    await expect(cutover(dying, { runId: run.runId })).rejects.toThrow('killed');
    death.mockRestore();
    await cutover(dying, { runId: run.runId });
    expect(commands).toEqual(['restart it']);
    expect(await getJson(deps.workspace, z.array(z.unknown()), hookFact)).toMatchObject([
      { code: 'after-cutover-hook-not-known', message: expect.stringContaining('may have run') },
    ]);
  });

  test('leaves owner and rights out as asked', async () => {
    const run = await standing({ roles: { noOwner: true, noPrivileges: true } });
    await cutover(deps, { runId: run.runId });
    expect(await facts(run.finalDatabase)).toMatchObject([
      { owner: 'postgres', granted: false, limit: 7 },
    ]);
  });
});

test('role options reach owner and rights of the database', () => {
  const globals = {
    roles: [],
    database: {
      ...manifest.inventory.database,
      owner: 'a',
      acl: ['=c/a', 'a=CTc/a', '"b ""2"""=c/a'],
    },
  };
  const map = { a: 'x', 'b "2"': 'y z' };
  expect(withRoleOptions(globals, roleOptionsSchema.parse({ map }), 'me').database).toMatchObject({
    owner: 'x',
    acl: ['=c/a', '"x"=CTc/a', '"y z"=c/a'],
  });
});
