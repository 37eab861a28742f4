import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareDatabaseAfterCutover } from '../../core/compare/database-after-cutover.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import { type RestoreRun, restoreInputSchema } from '../../core/contract/restore.ts';
import { readDatabase } from '../../core/inventory/database.ts';
import { readRoles } from '../../core/inventory/roles.ts';
import { openSession } from '../../core/postgres/session.ts';
import { readComparison, readWarnings } from '../../core/report/facts.ts';
import { applyDatabaseSettings } from '../../core/restore/cutover/settings.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { sampleVault } from '../support/sample-backup.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folders = temporaryFolders();
let source: TestDatabase;
let target: TestDatabase;
beforeAll(async () => {
  [source, target] = await Promise.all([
    testDatabase('after_source'),
    testDatabase('after_target'),
  ]);
  await source.query(`CREATE ROLE after_owner; CREATE ROLE after_reader;
    ALTER DATABASE ${source.name} OWNER TO after_owner;
    ALTER DATABASE ${source.name} CONNECTION LIMIT 7;
    ALTER DATABASE ${source.name} SET work_mem = '9MB';
    ALTER DATABASE ${source.name} SET app.key = 'secret-1';
    ALTER ROLE after_reader IN DATABASE ${source.name} SET statement_timeout = '5s';
    GRANT CREATE ON DATABASE ${source.name} TO after_reader;
    COMMENT ON DATABASE ${source.name} IS 'the shop'`);
});
afterAll(async () => {
  await target?.drop();
  await source?.query(`ALTER DATABASE ${source.name} OWNER TO CURRENT_USER`);
  await source?.query(
    `DROP OWNED BY after_owner, after_reader; DROP ROLE after_owner, after_reader`,
  );
  await source?.drop();
});

const open = ({ settings }: TestDatabase) =>
  openSession(settings, { applicationName: 'holdfast/test/after', purpose: 'writer' });

/** Gives the target what the source has, changes it, and compares. */
async function compared({ change = '', roles = {} }: { change?: string; roles?: object } = {}) {
  await using from = await open(source);
  const inventory = { database: await readDatabase(from), roles: await readRoles(from) };
  const { deps, workspace } = await sampleVault(await folders());
  const run = {
    runId: `after-${randomBytes(4).toString('hex')}`,
    input: restoreInputSchema.parse({ target: 't', roles, requestedBy: { user: 'a', host: 'h' } }),
  } as RestoreRun;
  const all = { ...deps, workspace } as unknown as Deps;
  await using session = await open(target);
  await applyDatabaseSettings(all, run, inventory, session);
  if (change !== '') await session.query(change);
  const manifest = { inventory } as unknown as Manifest;
  const differences = await compareDatabaseAfterCutover(all, run, manifest, session);
  return {
    differences,
    report: await readComparison(all, run.runId),
    warnings: await readWarnings(all, run.runId),
  };
}

describe('the database after the cutover gave it its settings', () => {
  it('is the same when everything was taken over', async () => {
    const { differences, warnings } = await compared();
    expect(differences).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('is different in what was refused: shown in the report, and a warning', async () => {
    const { differences, report, warnings } = await compared({
      change: `ALTER DATABASE ${target.name} RESET work_mem;
        ALTER DATABASE ${target.name} SET app.key = 'secret-2';
        ALTER ROLE after_reader IN DATABASE ${target.name} RESET ALL;
        REVOKE CREATE ON DATABASE ${target.name} FROM after_reader;
        COMMENT ON DATABASE ${target.name} IS NULL;
        ALTER DATABASE ${target.name} OWNER TO CURRENT_USER`,
    });
    const objects = differences.map(({ object }) => object).sort();
    expect(objects).toEqual([
      'app.key',
      'comment on the database',
      'owner of the database',
      'rights on the database',
      'statement_timeout in this database of role after_reader',
      'work_mem',
    ]);
    expect(differences.every(({ kind, isExpected }) => kind === 'setting' && !isExpected)).toBe(
      true,
    );
    expect(JSON.stringify(differences)).not.toContain('secret-');
    expect(report.differences).toEqual(differences);
    expect(warnings).toMatchObject([
      { code: 'database-different', message: expect.stringContaining('and 1 more') },
    ]);
  });

  it('is as the role options asked for', async () => {
    expect((await compared({ roles: { noOwner: true, noPrivileges: true } })).differences).toEqual(
      [],
    );
    const change = `ALTER ROLE after_reader IN DATABASE ${target.name} RESET ALL`;
    expect(
      (await compared({ change, roles: { map: { after_reader: 'after_owner' } } })).differences,
    ).toEqual([]);
  });
});
