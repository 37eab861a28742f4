/** A backup that ends at any of its states, by no doing of its own: nothing is left, and its record says what was ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeSchema } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import { getJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { openDirectoryVault } from '../../local/vault/directory-vault.ts';
import { type Harness, makeHarness, requestedBy } from '../backup/harness.ts';
import { sourceParameter } from '../backup/kept-vault.ts';
import { contentOf } from '../restore/harness.ts';
import { failureTasks, plainTasks } from './definition.ts';
import { type EndAt, endAt, expectCleaned, moments } from './end-at.ts';
import { expectNothingLeft, sessionsOf } from './left-behind.ts';

let harness: Harness;
let deps: Deps;
let content: unknown;
beforeAll(async () => {
  harness = await makeHarness('endings');
  await harness.database.query(`
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1, 500) i;
    CREATE TABLE empty (id int)`);
  content = await contentOf(harness.database.name);
  // Its own replica: everything is there at once.
  const replica = {
    vault: openDirectoryVault(harness.vaultDirectory),
    keyRing: harness.deps.keyRing,
  };
  deps = { ...harness.deps, replica, sourceOf: async () => sourceParameter({ jobs: 2 }) };
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** Holders and leases that stay: what is gone was taken away. */
const options = { jobs: 2, watchSeconds: 1, holdRoundSeconds: 3_600, leaseSeconds: 3_600 };

async function endBackup(at: Pick<EndAt, 'moment' | 'status' | 'failing'>, state: string) {
  const runId = newRunId();
  let held: string[] = [];
  let isLookedAt = false;
  const cleaned = await endAt({
    ...{ ...at, machine: 'backup', runId, at: { machine: 'backup', state } },
    input: { source: 'shop', requestedBy, options },
    depsOf: () => deps,
    onEnd: async (working) => {
      isLookedAt = working.includes('WatchSnapshot');
      held = (await sessionsOf(runId)).filter((name) => name.includes('/holder-'));
    },
  });
  expectCleaned(cleaned);
  await expectNothingLeft(deps, runId);
  expect(await contentOf(harness.database.name)).toEqual(content);
  const outcome = await getJson(deps.workspace, outcomeSchema, workspaceKeys.outcome(runId));
  return { outcome, held, isLookedAt, found: cleaned[0]?.found, backupId: outcome?.backupId };
}

const listed = async () => (await harness.catalogue()).map(({ backupId }) => backupId);

const states = [
  ...plainTasks('backup').flatMap((state) => moments.map((moment) => ({ state, moment }))),
  ...failureTasks('backup').map((one) => ({ ...one, moment: 'answer lost' as const })),
];

describe('a backup that ends', () => {
  it.each(states)('in $state ($moment)', async ({ state, ...at }) => {
    const { outcome, held, isLookedAt, found, backupId } = await endBackup(at, state);
    const isListed = (await listed()).includes(String(backupId));
    // CleanUp may have come before the state that lists it had done so.
    if (outcome?.state === 'published') expect(isListed).toBe(true);
    else expect(outcome).toMatchObject({ state: 'failed', message: expect.any(String) });
    // Report, which nobody heard of, has the last word.
    if (found === 'ended' || (state === 'Report' && isListed)) return;
    // The first error stays.
    expect(outcome?.error).toBe('failing' in at ? 'InternalError' : 'RunAbortedError');
    // A look at the snapshot that sees the mark ends the holders, too: then CleanUp may find none.
    if (held.length > 0 && !isLookedAt) {
      expect(outcome?.cleaned?.join()).toMatch(/\d sessions? on shop ended/);
    }
  });

  it('by a time limit has that as its error', async () => {
    const at = { moment: 'answer lost', status: 'TIMED_OUT' } as const;
    const { outcome, isLookedAt } = await endBackup(at, 'DumpUnit');
    expect(outcome?.error).toBe('TaskTimedOutError');
    expect(outcome?.cleaned).toContain('lease on shop given free');
    // Two holders; and those of the watch, when it has looked already, and of units that are just closing.
    const sessions = expect.stringMatching(/^([2-9]|\d{2,}) sessions on shop ended$/);
    if (!isLookedAt) expect(outcome?.cleaned).toContainEqual(sessions);
  });
});
