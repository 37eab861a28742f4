/** A backup that ends at any of its states, by no doing of its own: nothing is left, and its record says what was ended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeSchema } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { StateName } from '../../core/contract/payloads.ts';
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

const endsHolders = new Set<StateName>(['WatchSnapshot', 'ReleaseSnapshot', 'AbortDump']);

async function endBackup(at: Pick<EndAt, 'moment' | 'status' | 'failing'>, state: string) {
  const runId = newRunId();
  let held: string[] = [];
  const cleaned = await endAt({
    ...{ ...at, machine: 'backup', runId, at: { machine: 'backup', state } },
    input: { source: 'shop', requestedBy, options },
    depsOf: () => deps,
    onEnd: async (working) => {
      // What else ends holders, at its time or because it sees CleanUp's mark, is over before.
      const others = [...working].filter(([, name]) => name !== state && endsHolders.has(name));
      await Promise.all(others.map(([work]) => work));
      held = (await sessionsOf(runId)).filter((name) => name.includes('/holder-'));
    },
  });
  expectCleaned(cleaned);
  await expectNothingLeft(deps, runId);
  expect(await contentOf(harness.database.name)).toEqual(content);
  const outcome = await getJson(deps.workspace, outcomeSchema, workspaceKeys.outcome(runId));
  return { outcome, held, found: cleaned[0]?.found, backupId: outcome?.backupId };
}

const listed = async () => (await harness.catalogue()).map(({ backupId }) => backupId);

const states = [
  ...plainTasks('backup').flatMap((state) => moments.map((moment) => ({ state, moment }))),
  ...failureTasks('backup').map((one) => ({ ...one, moment: 'answer lost' as const })),
];

describe('a backup that ends', () => {
  it.each(states)('in $state ($moment)', async ({ state, ...at }) => {
    const { outcome, held, found, backupId } = await endBackup(at, state);
    const isListed = (await listed()).includes(String(backupId));
    // CleanUp may have come before the state that lists it had done so.
    if (outcome?.state === 'published') expect(isListed).toBe(true);
    else expect(outcome).toMatchObject({ state: 'failed', message: expect.any(String) });
    // Report, which nobody heard of, has the last word.
    if (found === 'ended' || (state === 'Report' && isListed)) return;
    // The first error stays.
    expect(outcome?.error).toBe('failing' in at ? 'InternalError' : 'RunAbortedError');
    if (held.length > 0) {
      expect(outcome?.cleaned?.join()).toMatch(/\d sessions? on shop ended/);
    }
  });

  it('by a time limit has that as its error', async () => {
    const { outcome } = await endBackup({ moment: 'answer lost', status: 'TIMED_OUT' }, 'DumpUnit');
    expect(outcome).toMatchObject({
      error: 'TaskTimedOutError',
      // Two holders; and those of the watch, when it has looked already, and of units that are just closing.
      cleaned: [
        expect.stringMatching(/^([2-9]|\d{2,}) sessions on shop ended$/),
        'lease on shop given free',
      ],
    });
  });
});
