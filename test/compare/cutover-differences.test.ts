import { afterAll, beforeAll, expect, test } from 'vitest';
import { readComparison, readWarnings } from '../../core/report/facts.ts';
import { cutover } from '../../core/restore/cutover.ts';
import {
  type CutoverHarness,
  makeCutoverHarness,
  makeWorkDatabase,
} from '../restore/cutover-harness.ts';
import { onServer, unique } from '../restore/shared-server.ts';

let harness: CutoverHarness;
const owner = unique('cutover_gone');
beforeAll(async () => {
  harness = await makeCutoverHarness('cutover_differences', ({ name, query }) =>
    query(`CREATE ROLE ${owner}; ALTER DATABASE ${name} OWNER TO ${owner}`),
  );
  const { name } = harness.source.database;
  await onServer('postgres', `ALTER DATABASE ${name} OWNER TO CURRENT_USER`);
  await onServer('postgres', `DROP ROLE ${owner}`);
});
afterAll(() => harness?.[Symbol.asyncDispose]());

test('an owner whom the server does not know is a difference of the report, and the cutover goes on', async () => {
  const { deps } = harness;
  const finalDatabase = unique('cutover_final');
  const run = await harness.plan({ workDatabase: unique('cutover_different'), finalDatabase });
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
