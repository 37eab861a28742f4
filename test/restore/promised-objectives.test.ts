/** What an environment promises of a source is what its restores and drills are measured against. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { drillInputSchema, restoreInputSchema } from '../../core/contract/restore.ts';
import { readDrill } from '../../core/drill/drill-record.ts';
import { planDrill } from '../../core/drill/plan-drill.ts';
import { planRestore } from '../../core/restore/plan-restore.ts';
import { readRestoreRun } from '../../core/restore/restore-run.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { requestedBy } from '../backup/harness.ts';
import { sourceParameter } from '../backup/kept-vault.ts';
import { sharedSettings } from '../support/postgres.ts';
import { makeRestoreHarness, type RestoreHarness } from './harness.ts';

let harness: RestoreHarness;
beforeAll(async () => {
  harness = await makeRestoreHarness('promised', async (database) => {
    await database.query('CREATE TABLE one AS SELECT 1 AS a');
  });
});
afterAll(() => harness?.[Symbol.asyncDispose]());

const promises = { objectives: { rpoHours: 2, rtoHours: 4 } };
const depsWith = (sourceOf?: Deps['sourceOf']): Deps => ({
  ...harness.source.deps,
  connectionOf: async () => sharedSettings('postgres'),
  ...(sourceOf && { sourceOf }),
});
const promised = async () => sourceParameter(promises);

async function restoreObjectives(deps: Deps, input: object = {}) {
  const request = restoreInputSchema.parse({
    ...{ target: 'here', dryRun: true, requestedBy },
    ...input,
  });
  const { runId } = await planRestore(deps, { runId: newRunId(), request });
  return (await readRestoreRun(deps.workspace, runId)).input.objectives;
}

it('a restore is measured against what its source is promised, and first against what it was asked for', async () => {
  expect(await restoreObjectives(depsWith(promised))).toEqual({
    rtoSeconds: 14_400,
    rpoSeconds: 7_200,
  });
  const asked = { objectives: { rtoSeconds: 60 } };
  expect(await restoreObjectives(depsWith(promised), asked)).toEqual({
    rtoSeconds: 60,
    rpoSeconds: 7_200,
  });
});

it('nothing is promised on one machine, of a source without objectives, or of one that was not deployed', async () => {
  const unknown = async () => {
    throw new HoldfastError('ConnectionNotFoundError', 'There is no source shop.');
  };
  for (const sourceOf of [undefined, async () => sourceParameter({}), unknown]) {
    expect(await restoreObjectives(depsWith(sourceOf))).toEqual({});
  }
});

it('a promise that cannot be read keeps nobody from restoring', async () => {
  const unreadable = async () => {
    throw new HoldfastError('ConfigurationError', 'The parameter of shop is not what it must be.');
  };
  const messages: (string | undefined)[] = [];
  const progress: Deps['progress'] = ({ message }) => messages.push(message);
  expect(await restoreObjectives({ ...depsWith(unreadable), progress })).toEqual({});
  expect(messages.join()).toContain('The parameter of shop is not what it must be.');
});

it('a drill and the restore that it is are measured against the same', async () => {
  const deps = depsWith(promised);
  const runId = newRunId();
  const request = drillInputSchema.parse({ target: 'here', requestedBy });
  const { restore } = await planDrill(deps, { runId, request });
  const objectives = { rtoSeconds: 14_400, rpoSeconds: 7_200 };
  expect(restore).toMatchObject({ objectives });
  expect((await readDrill(deps, runId))?.request).toMatchObject({ objectives });
});
