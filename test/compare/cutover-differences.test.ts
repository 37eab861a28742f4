import { afterAll, beforeAll, expect, test } from 'vitest';
import { readComparison, readWarnings } from '../../core/report/facts.ts';
import { cutover } from '../../core/restore/cutover.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import {
  dropDatabases,
  makeWorkDatabase,
  onServer,
  planRun,
  targetDeps,
  unique,
} from '../restore/cutover-harness.ts';

let harness: Harness;
const workDatabase = unique('cutover_different');
const finalDatabase = unique('cutover_final');
const owner = unique('cutover_gone');
beforeAll(async () => {
  harness = await makeHarness('cutover_differences');
  const { name } = harness.database;
  await onServer('postgres', `CREATE ROLE ${owner}`);
  await onServer('postgres', `ALTER DATABASE ${name} OWNER TO ${owner}`);
  await harness.runHere();
  await onServer('postgres', `ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
  await onServer('postgres', `DROP ROLE ${owner}`);
});
afterAll(async () => {
  await dropDatabases([workDatabase, finalDatabase]);
  await harness?.[Symbol.asyncDispose]();
});

test('an owner whom the server does not know is a difference of the report, and the cutover goes on', async () => {
  const [entry] = await harness.catalogue();
  const manifest = await harness.manifest(entry?.backupId ?? '');
  const deps = targetDeps(harness.deps);
  const run = await planRun(deps, manifest, { workDatabase, finalDatabase });
  await makeWorkDatabase(run);
  const { runId } = run;
  expect(await cutover(deps, { runId })).toMatchObject({ database: finalDatabase });
  const { differences } = await readComparison(deps, runId);
  expect(differences).toContainEqual({
    ...{ kind: 'setting', object: 'owner of the database' },
    ...{ left: owner, right: 'postgres', isExpected: false },
  });
  const codes = (await readWarnings(deps, runId)).map(({ code }) => code);
  expect(codes).toContain('database-different');
});
