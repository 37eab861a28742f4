/** A restore `into` that was killed between the COMMIT of its merge and its fact: the rows are there, and it says so. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readRestoreOutcome } from '../../core/report/outcome.ts';
import { readReport } from '../../core/report/write-report.ts';
import { cleanUp } from '../../core/run/clean-up.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { runRestore } from '../../local/engine/run-restore.ts';
import { requestedBy } from '../backup/harness.ts';
import { makeRestoreHarness } from './harness.ts';
import { onServer } from './shared-server.ts';

test('cancelled then, it has succeeded, with the counts of what was written', async () => {
  await using harness = await makeRestoreHarness('concluded_into', async ({ query }) => {
    await query(
      'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 50)',
    );
  });
  const { vaultDirectory, keyFile, connection } = harness.options();
  const place = { vaultDirectory, keyFile: keyFile as string, connection };
  const { deps } = await openLocalDeps(place);
  const database = harness.ownDatabase(`concluded_${randomBytes(4).toString('hex')}`);
  await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE template0`);
  const { runId } = await runRestore({
    ...place,
    jobs: 1,
    input: { target: 'here', choice: { source: 'shop' }, mode: 'into', database, requestedBy },
  });
  const outcome = workspaceKeys.restoreOutcome(runId);
  for (const key of [outcome, workspaceKeys.restoreFact(runId, 'cutover')]) {
    expect(await deps.workspace.get(key)).toBeDefined();
    await deps.workspace.delete(key);
  }
  const { cleaned, troubles } = await cleanUp(deps, { machine: 'restore', runId });
  expect(troubles).toEqual([]);
  expect(cleaned.join()).toContain('its cutover was done');
  expect(await readRestoreOutcome(deps, runId)).toMatchObject({ state: 'succeeded' });
  expect(await readReport(deps, runId)).toMatchObject({
    ...{ state: 'succeeded', error: null },
    merged: [{ table: 'public.orders', written: 50 }],
  });
});
