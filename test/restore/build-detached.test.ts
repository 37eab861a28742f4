/** A long statement: its client goes, its session dies, its predecessor is frozen. It lasts for as long as a test wants. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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
/** An advisory lock: who has it keeps who builds in the middle of the rows. */
const gate = 4711;

beforeAll(async () => {
  harness = await makeHarness('build_detached');
  await harness.database.query(`
    CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN IF i = 400 THEN PERFORM pg_advisory_xact_lock_shared(${gate}); END IF; RETURN i; END';
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
afterEach(() => loaded.client.query('SELECT pg_advisory_unlock_all()'));

const hold = () => loaded.rows(`SELECT pg_advisory_lock(${gate})`);
const letGo = () => loaded.rows(`SELECT pg_advisory_unlock(${gate})`);
/** Until the statement has come to where it is held. */
const untilHeld = () =>
  expect
    .poll(() =>
      loaded.rows(`SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objid = ${gate} AND NOT granted
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`),
    )
    .toEqual([{ mode: 'ShareLock' }]);

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
  const of = expect.stringContaining('slow_index');
  const waitSeconds = loaded.run.input.options.pollSeconds;
  await hold();
  expect(await runBuild(deps, input, 300)).toEqual({ of, isDone: false, share: null, waitSeconds });
  await untilHeld();
  for (let looks = 0; looks < 3; looks += 1) {
    const { isDone, share } = await runBuild(deps, input, 300);
    expect(isDone).toBe(false);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  }
  await letGo();
  const answers = await buildUntilDone(deps, input, 300);
  expect(answers.at(-1)).toEqual({ of, isDone: true, share: 1, waitSeconds });
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
  const begun = Date.now();
  await hold();
  expect(await look()).toEqual({ isDone: false, share: null });
  await untilHeld();
  await sleep(400);
  // By the clock of the server: nobody needs to remember when it was begun.
  const { ageSeconds = 0 } = await look();
  expect(ageSeconds).toBeGreaterThan(0.3);
  expect(ageSeconds).toBeLessThan((Date.now() - begun) / 1000);
  await letGo();
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
  await hold();
  const first = runBuild(loaded.deps, input, 50_000);
  await untilHeld();
  expect((await runBuild(loaded.deps, input, 50_000)).isDone).toBe(false);
  await letGo();
  expect((await first).isDone).toBe(true);
});

test('its session ended midway, the next call builds it', async () => {
  const input = await freshBuild(slowIndex);
  await hold();
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  await untilHeld();
  const [session] = await sessionsOf(input);
  await loaded.rows(`SELECT pg_terminate_backend(${session?.pid})`);
  await letGo();
  await buildUntilDone(loaded.deps, input, 300);
  expect(await isValid()).toBe(true);
});

test('its session ended while its client waits: an error that may be tried again, and the next call builds it', async () => {
  const input = await freshBuild(slowIndex);
  await hold();
  const attempt = runBuild(loaded.deps, input, 50_000);
  const refused = expect(attempt).rejects.toMatchObject({
    name: 'ConnectionLostError',
    retryable: true,
  });
  await untilHeld();
  const [session] = await sessionsOf(input);
  expect(session).toMatchObject({ state: 'active' });
  await loaded.rows(`SELECT pg_terminate_backend(${session?.pid})`);
  await refused;
  await letGo();
  await buildUntilDone(loaded.deps, input);
  expect(await isValid()).toBe(true);
});

test('gone without a result, its error is heard by the next call; no row is in the message', async () => {
  const input = await freshBuild(slowIndex);
  const key = workspaceKeys.restorePart(input.runId, 'builds', input.build);
  const record = await loaded.buildOf(slowIndex);
  const statements = ['CREATE UNIQUE INDEX slow_index ON public.t (public.slow(twice))'];
  await putJson(loaded.deps.workspace, key, { ...record, build: input.build, statements });
  await hold();
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  await letGo();
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
  await hold();
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  await untilHeld();
  // As if it had been frozen: the statement is cancelled, its session stays with the lock.
  const name = applicationNameOf(input.runId, `build-${input.build}`);
  const { rows } = await loaded.client.query<{ key: string }>(
    `SELECT ((classid::int8 << 32) | objid::int8)::text AS key FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE locktype = 'advisory' AND granted AND application_name = '${name}'`,
  );
  await loaded.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`,
  );
  await expect.poll(() => sessionsOf(input)).toEqual([]);
  await letGo();
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
  await hold();
  expect((await runBuild(loaded.deps, input, 300)).isDone).toBe(false);
  await letGo();
  await buildUntilDone(loaded.deps, input, 300);
  expect(await loaded.rows('SELECT count(*) FROM slow_view')).toEqual([{ count: '800' }]);
});
