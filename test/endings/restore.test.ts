/**
 * A restore or a drill that ends at any of its states, by no doing of its own: the target is as it was, or, after the
 * cutover, as it was wanted; its report says what was taken away.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import type { MachineName } from '../../core/contract/names.ts';
import { readReport } from '../../core/report/write-report.ts';
import { onDatabase } from '../../core/restore/target-session.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import { newRunId } from '../../local/engine/run-backup.ts';
import { requestedBy } from '../backup/harness.ts';
import { contentOf, makeRestoreHarness, type RestoreHarness } from '../restore/harness.ts';
import { dropDatabases, onServer } from '../restore/shared-server.ts';
import { failureTasks, plainTasks } from './definition.ts';
import { endAt, expectCleaned, type Moment, moments } from './end-at.ts';
import { expectNothingLeft } from './left-behind.ts';

let harness: RestoreHarness;
let deps: Deps;
let wanted: unknown;
/** What `into` and `swap` find: two of the rows are gone. */
let live: string;
beforeAll(async () => {
  harness = await makeRestoreHarness('endings_restore', async ({ query }) => {
    await query(`
      CREATE TABLE orders (id int PRIMARY KEY, note text);
      INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1, 500) i;
      CREATE INDEX ON orders (note);
      CREATE TABLE item (id int PRIMARY KEY, of int REFERENCES orders)`);
  });
  const { vaultDirectory, keyFile, connection } = harness.options();
  ({ deps } = await openLocalDeps({ vaultDirectory, keyFile: keyFile as string, connection }));
  wanted = await contentOf(harness.source.database.name);
  live = harness.ownDatabase(`endings_live_${randomBytes(4).toString('hex')}`);
  await harness.source.database.client.end();
  await onServer('postgres', `CREATE DATABASE ${live} TEMPLATE ${harness.source.database.name}`);
  await onServer(live, 'DELETE FROM orders WHERE id <= 2');
});
afterAll(() => harness?.[Symbol.asyncDispose]());

/** Leases that stay: what is gone was given free. */
const options = { jobs: 2, leaseSeconds: 3_600, pollSeconds: 1 };
const choice = { source: 'shop' };

/** The databases of the server that begin so, with what decides on them. */
const databases = (beginning: string) =>
  onServer<{ oid: number; name: string; isOpen: boolean }>(
    'postgres',
    `SELECT oid::int, datname AS name, datallowconn AS "isOpen" FROM pg_database WHERE starts_with(datname, $1) ORDER BY 2`,
    [beginning],
  );

type Mode = 'new' | 'swap' | 'into';
interface Case {
  readonly machine: MachineName;
  readonly state: string;
  readonly moment: Moment;
  readonly failing?: string;
}

async function endRestore(mode: Mode, { machine, state, moment, failing }: Case) {
  const runId = newRunId();
  const database = `e_${randomBytes(4).toString('hex')}`;
  if (mode !== 'new') await onServer('postgres', `CREATE DATABASE ${database} TEMPLATE ${live}`);
  const before = {
    databases: await databases(database),
    content: mode === 'new' ? undefined : await contentOf(database),
  };
  const ofLive = onDatabase(harness.options().connection, database);
  const selection = mode === 'into' ? { selection: { onConflict: 'replace' } } : {};
  let made: string[] = [];
  try {
    const cleaned = await endAt({
      ...{ machine: 'restore', runId, moment, at: { machine, state } },
      ...(failing === undefined ? {} : { failing }),
      input: {
        ...{ target: 'here', choice, mode, database, options, requestedBy, ...selection },
        // Of a second's length: where it is not what is ended.
        safetyBackup: machine === 'backup' || safetyStates.includes(state),
      },
      depsOf: (one) => (one === 'backup' ? { ...deps, connectionOf: async () => ofLive } : deps),
      onEnd: async () => {
        const there = before.databases.map(({ oid }) => oid);
        made = (await databases(database))
          .filter(({ oid }) => !there.includes(oid))
          .map(({ name }) => name);
      },
    });
    expectCleaned(cleaned);
    await expectNothingLeft(deps, runId);
    const isCutOver = (await harness.read(`restores/${runId}/facts/cutover.json`)) !== undefined;
    if (isCutOver) {
      expect(await contentOf(database)).toEqual(wanted);
    } else {
      expect(await databases(database)).toEqual(before.databases);
      if (mode !== 'new') expect(await contentOf(database)).toEqual(before.content);
    }
    const outcome = await harness.read(`restores/${runId}/outcome.json`);
    expect(outcome).toMatchObject({ state: expect.stringMatching(/^(failed|succeeded)$/) });
    if (isCutOver) expect(outcome).toMatchObject({ state: 'succeeded' });
    else if (cleaned[0]?.found === 'unended') {
      const name = failing === undefined ? 'RunAbortedError' : 'InternalError';
      expect(outcome).toMatchObject({ state: 'failed', error: { name } });
    }
    const report = await readReport(deps, runId);
    if (!isCutOver) {
      for (const one of made) expect(report?.cleaned).toContain(`database "${one}" dropped`);
    }
    return { isCutOver };
  } finally {
    const left = await databases(database);
    for (const { name } of left)
      await onServer(
        'postgres',
        `ALTER DATABASE ${pg.escapeIdentifier(name)} ALLOW_CONNECTIONS true`,
      );
    await dropDatabases(left.map(({ name }) => name));
  }
}

const safetyStates = ['SafetyBackup', 'NoteSafetyBackup'];
const casesOf = (mode: Mode): Case[] => {
  const plain = plainTasks('restore')
    // Nothing is replaced there.
    .filter((state) => mode !== 'new' || !safetyStates.includes(state))
    // Made in one transaction at the end.
    .filter((state) => mode !== 'into' || !['Build', 'CompareUnit'].includes(state))
    .map((state) => ({ machine: 'restore' as const, state }));
  const failing = failureTasks('restore')
    .filter(() => mode === 'new')
    .map((one) => ({ machine: 'restore' as const, ...one, moment: 'answer lost' as const }));
  const ofBackup = ['HoldSnapshot', 'DumpUnit', 'Publish']
    .filter(() => mode === 'swap')
    .map((state) => ({ machine: 'backup' as const, state }));
  return [
    ...failing,
    ...[...plain, ...ofBackup].flatMap((one) =>
      momentsOf(mode, one.state).map((moment) => ({ ...one, moment })),
    ),
  ];
};

/** What a state does while it works differs between the modes in these alone. */
const momentsOf = (mode: Mode, state: string): readonly Moment[] =>
  mode === 'new' || ['CreateTarget', 'Cutover'].includes(state) ? moments : ['answer lost'];

describe.each(['new', 'swap', 'into'] as const)('a restore of mode %s that ends', (mode) => {
  it.each(casesOf(mode))('in $machine/$state ($moment)', async (one) => {
    const { isCutOver } = await endRestore(mode, one);
    const isLast = one.state === 'ReportRestore';
    const isCutover = one.state === 'Cutover' && one.moment === 'answer lost';
    expect(isCutOver).toBe(isLast || isCutover);
  });
});

/** Above 8 MiB, or its index would be one of many in a task: ten rows, of which each takes two seconds to index. */
const slowIndex = `
  CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM pg_sleep(CASE WHEN current_database() LIKE ''endings%'' THEN 0 ELSE 2 END); RETURN i; END';
  CREATE TABLE t (id int, filler text);
  INSERT INTO t SELECT i, repeat(md5(i::text), 32768) FROM generate_series(1, 10) i;
  CREATE INDEX slow_index ON t (slow(id))`;

it('a restore that ends while the server builds on without a client: no statement goes on', async () => {
  await using harness = await makeRestoreHarness('endings_build', async ({ query }) => {
    await query(slowIndex);
  });
  const { vaultDirectory, keyFile, connection } = harness.options();
  const { deps } = await openLocalDeps({
    ...{ vaultDirectory, keyFile: keyFile as string, connection },
  });
  const runId = newRunId();
  const database = harness.ownDatabase(`e_${randomBytes(4).toString('hex')}`);
  const building = () =>
    onServer<{ name: string }>(
      'postgres',
      `SELECT application_name AS name FROM pg_stat_activity
        WHERE state = 'active' AND query LIKE '%slow_index%' AND starts_with(datname, $1)`,
      [database],
    );
  let atEnd: unknown;
  const cleaned = await endAt({
    ...{ machine: 'restore', runId, moment: 'answer lost' },
    // It has said that it is not done, and its session is the server's alone.
    at: { machine: 'restore', state: 'Build' },
    input: { target: 'here', choice, database, options, requestedBy },
    depsOf: () => deps,
    onEnd: async () => {
      atEnd = await building();
    },
  });
  expectCleaned(cleaned);
  expect(atEnd).toEqual([{ name: expect.stringContaining(`${runId}/build-`) }]);
  expect(await building()).toEqual([]);
  await expectNothingLeft(deps, runId);
  expect(await databases(database)).toEqual([]);
  expect((await readReport(deps, runId))?.cleaned).toContain('1 session on the target ended');
});

/** How often a backup was proven: a drill that did not come to its end proves nothing. */
async function provenNow(): Promise<number> {
  let proven = 0;
  for await (const { key } of deps.vault.list('evidence/')) if (key.includes('proven')) proven += 1;
  return proven;
}

const drillStates: Case[] = [
  ...[
    ...plainTasks('drill').map((state) => ({ machine: 'drill' as const, state })),
    ...failureTasks('drill').map((one) => ({ machine: 'drill' as const, ...one })),
  ].flatMap((one) => moments.map((moment) => ({ ...one, moment }))),
  ...plainTasks('restore')
    .filter((state) => !safetyStates.includes(state))
    .map((state) => ({ machine: 'restore' as const, state, moment: 'answer lost' as const })),
];

describe('a drill that ends', () => {
  it.each(drillStates)('in $machine/$state ($moment)', async ({ machine, state, ...one }) => {
    const runId = newRunId();
    const scratch = () => databases(`${harness.source.database.name}_drill_`);
    let made: string[] = [];
    const proven = await provenNow();
    const cleaned = await endAt({
      ...{ ...one, machine: 'drill', runId, at: { machine, state } },
      input: { target: 'here', choice, options, requestedBy },
      depsOf: () => deps,
      onEnd: async () => {
        made = (await scratch()).map(({ name }) => name);
      },
    });
    expectCleaned(cleaned);
    await expectNothingLeft(deps, runId);
    expect(await scratch()).toEqual([]);
    const outcome = await harness.read(`restores/${runId}/outcome.json`);
    if (cleaned[0]?.found === 'ended') {
      expect(['ConcludeDrill', 'ConcludeDrillThatFailed']).toContain(state);
      return;
    }
    expect(outcome).toMatchObject({ state: 'failed' });
    const report = await readReport(deps, runId);
    // The drill and its restore are cleaned up after at the same time: one of them drops it.
    const told = [...(report?.cleaned ?? []), ...cleaned.flatMap((one) => one.cleaned)];
    for (const name of made) expect(told).toContain(`database "${name}" dropped`);
    expect(await provenNow()).toBe(proven);
  });
});
