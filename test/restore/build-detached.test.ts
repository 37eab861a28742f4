/** A long statement: its client goes, its session dies, its predecessor is frozen. The slow thing is a function per row. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Progress } from '../../core/contract/deps.ts';
import { applicationNameOf } from '../../core/postgres/application-name.ts';
import { runBuild, waitSecondsOf } from '../../core/restore/build.ts';
import { runDetached } from '../../core/restore/builds/run-detached.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { buildUntilDone, type Loaded, loadRows, planAsIfLarge } from './build-harness.ts';

let harness: Harness;
let loaded: Loaded;
const slowIndex = 'index public.slow_index';

beforeAll(async () => {
  harness = await makeHarness('build_detached');
  // 800 rows of 1 ms and the timer's slack: 1 to 2 s.
  await harness.database.query(`
    CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN PERFORM pg_sleep(CASE WHEN current_database() LIKE ''%restore%'' THEN 0.001 ELSE 0 END); RETURN i; END';
    CREATE TABLE t (id int, twice int);
    INSERT INTO t SELECT i, i % 799 FROM generate_series(1, 800) i;
    CREATE INDEX slow_index ON t (slow(id));
    CREATE MATERIALIZED VIEW slow_view AS SELECT slow(id) FROM t;
  `);
  loaded = await loadRows(harness);
  await planAsIfLarge(loaded);
});
afterAll(async () => {
  await loaded?.[Symbol.asyncDispose]();
  await harness?.[Symbol.asyncDispose]();
});
beforeEach(() => loaded.client.query('DROP INDEX IF EXISTS slow_index'));

/** A build of its own for each test: what was begun is remembered by number. */
let next = 100;
async function freshBuild(label: string): Promise<{ runId: string; build: number }> {
  const { runId } = loaded.run;
  const build = next++;
  const record = { ...(await loaded.buildOf(label)), build };
  await putJson(loaded.deps.workspace, workspaceKeys.restorePart(runId, 'builds', build), record);
  return { runId, build };
}

const isValid = async (): Promise<boolean | undefined> =>
  (
    await loaded.rows<{ isValid: boolean }>(
      `SELECT indisvalid AS "isValid" FROM pg_index WHERE indexrelid = to_regclass('slow_index')`,
    )
  )[0]?.isValid;

const sessionsOf = ({ runId, build }: { runId: string; build: number }) =>
  loaded.rows<{ pid: number; state: string }>(
    `SELECT pid, state FROM pg_stat_activity
      WHERE application_name = '${applicationNameOf(runId, `build-${build}`)}'`,
  );

test('its client gone at once, the index is built to its end and polled until then', async () => {
  const input = await freshBuild(slowIndex);
  const told: Progress[] = [];
  const deps = { ...loaded.deps, progress: (event: Progress) => void told.push(event) };
  const answers = await buildUntilDone(deps, input, 300);
  const of = expect.stringContaining('slow_index');
  const waitSeconds = loaded.run.input.options.pollSeconds;
  expect(answers[0]).toEqual({ of, isDone: false, share: null, waitSeconds });
  expect(answers.at(-1)).toEqual({ of, isDone: true, share: 1, waitSeconds });
  const shares = answers.slice(1, -1).map(({ share }) => share);
  expect(shares.length).toBeGreaterThan(2);
  expect(shares.every((share) => share !== null && share >= 0 && share <= 1)).toBe(true);
  expect(told.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^index public\.slow_index: \d+ % built$/),
  );
  expect(await isValid()).toBe(true);
});

test('the longer it goes on, the more seldom it is looked at: four days stay under the events of an execution', async () => {
  const input = await freshBuild(slowIndex);
  const build = { ...(await loaded.buildOf(slowIndex)), build: input.build };
  const { signal } = new AbortController();
  const look = () => runDetached(loaded.deps, loaded.run, build, 200, signal);
  expect(await look()).toEqual({ isDone: false, share: null });
  await sleep(300);
  // By the clock of the server: nobody needs to remember when it was begun.
  const { ageSeconds = 0 } = await look();
  expect(ageSeconds).toBeGreaterThan(0.3);
  expect(ageSeconds).toBeLessThan(30);
  await buildUntilDone(loaded.deps, input);

  expect([0, 49, 51, 600, 7_200].map((age) => waitSecondsOf(age, 5))).toEqual([5, 5, 6, 60, 300]);
  expect(waitSecondsOf(7_200, 600)).toBe(600);
  let looks = 0;
  for (let age = 0; age < 4 * 86_400; age += waitSecondsOf(age, 5)) looks += 1;
  // Lambda's three, entered and left of Task, Choice and Wait.
  expect(looks * 9).toBeLessThan(25_000 / 2);
});

test('while one session works at it, another call begins nothing', async () => {
  const input = await freshBuild(slowIndex);
  const [first, second] = await Promise.all([
    runBuild(loaded.deps, input, 10_000),
    sleep(400).then(() => runBuild(loaded.deps, input, 10_000)),
  ]);
  expect(first.isDone).toBe(true);
  expect(second.isDone).toBe(false);
});

test('its session ended midway, the next call builds it', async () => {
  const input = await freshBuild(slowIndex);
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  const [session] = await sessionsOf(input);
  await loaded.rows(`SELECT pg_terminate_backend(${session?.pid})`);
  await buildUntilDone(loaded.deps, input, 300);
  expect(await isValid()).toBe(true);
});

test('its session ended while its client waits: an error that may be tried again, and the next call builds it', async () => {
  const input = await freshBuild(slowIndex);
  const attempt = runBuild(loaded.deps, input, 20_000);
  const refused = expect(attempt).rejects.toMatchObject({
    name: 'ConnectionLostError',
    retryable: true,
  });
  await expect.poll(() => sessionsOf(input)).toMatchObject([{ state: 'active' }]);
  const [session] = await sessionsOf(input);
  await loaded.rows(`SELECT pg_terminate_backend(${session?.pid})`);
  await refused;
  await buildUntilDone(loaded.deps, input);
  expect(await isValid()).toBe(true);
});

test('gone without a result, its error is heard by the next call; no row is in the message', async () => {
  const input = await freshBuild(slowIndex);
  const key = workspaceKeys.restorePart(input.runId, 'builds', input.build);
  const record = await loaded.buildOf(slowIndex);
  const statements = ['CREATE UNIQUE INDEX slow_index ON public.t (public.slow(twice))'];
  await putJson(loaded.deps.workspace, key, { ...record, build: input.build, statements });
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  const error = await buildUntilDone(loaded.deps, input).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    name: 'RestoreStatementError',
    message: 'index public.slow_index: could not create unique index "slow_index" (SQLSTATE 23505)',
    hint: expect.stringContaining('not unique'),
    evidence: { object: slowIndex, sqlstate: '23505' },
  });
});

test('a predecessor that is frozen before its statement is ended', async () => {
  const input = await freshBuild(slowIndex);
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  // As if it had been frozen: the statement is cancelled, its session stays with the lock.
  const name = applicationNameOf(input.runId, `build-${input.build}`);
  const { rows } = await loaded.client.query<{ key: string }>(
    `SELECT ((classid::int8 << 32) | objid::int8)::text AS key FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE locktype = 'advisory' AND application_name = '${name}'`,
  );
  await loaded.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`,
  );
  await expect.poll(() => sessionsOf(input)).toEqual([]);
  const frozen = new pg.Client({
    connectionString: harness.database.url.replace(harness.database.name, loaded.run.workDatabase),
    application_name: name,
  });
  frozen.on('error', () => undefined);
  await frozen.connect();
  await frozen.query(`SELECT pg_advisory_lock(${rows[0]?.key})`);
  await expect(buildUntilDone(loaded.deps, input)).resolves.toEqual([
    expect.objectContaining({ of: expect.any(String), isDone: true, share: 1 }),
  ]);
  await expect(frozen.query('SELECT 1')).rejects.toThrow();
});

test('an invalid index of this name is replaced', async () => {
  const input = await freshBuild(slowIndex);
  const broken = loaded.rows('CREATE UNIQUE INDEX CONCURRENTLY slow_index ON t (twice)');
  await expect(broken).rejects.toThrow('could not create unique index');
  expect(await isValid()).toBe(false);
  await buildUntilDone(loaded.deps, input);
  expect(await isValid()).toBe(true);
});

test('a long refresh goes on without its client, too', async () => {
  const input = await freshBuild('materialized view public.slow_view');
  const answers = await buildUntilDone(loaded.deps, input, 300);
  expect(answers[0]?.isDone).toBe(false);
  expect(await loaded.rows('SELECT count(*) FROM slow_view')).toEqual([{ count: '800' }]);
});
