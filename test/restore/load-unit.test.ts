import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { markRestoreAborted } from '../../core/restore/abort-mark.ts';
import { loadUnit } from '../../core/restore/load-unit.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { fillShop, type Harness, makeHarness } from '../backup/harness.ts';
import { type LoadHarness, loadHarness, rowsOf } from './load-harness.ts';

let source: Harness;
let backupId: string;
beforeAll(async () => {
  source = await makeHarness('load_source');
  await fillShop(source.database);
  await source.database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE moods (m mood, n int) PARTITION BY HASH (m);
    CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (modulus 3, remainder 0);
    CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (modulus 3, remainder 1);
    CREATE TABLE moods_2 PARTITION OF moods FOR VALUES WITH (modulus 3, remainder 2);
    INSERT INTO moods SELECT (enum_range(NULL::mood))[1 + n % 3], n FROM generate_series(1, 300) n;
    CREATE TABLE numbers (n int, v text) PARTITION BY HASH (n);
    CREATE TABLE numbers_0 PARTITION OF numbers FOR VALUES WITH (modulus 2, remainder 0);
    CREATE TABLE numbers_1 PARTITION OF numbers FOR VALUES WITH (modulus 2, remainder 1);
    INSERT INTO numbers SELECT n, 'v' || n FROM generate_series(1, 1000) n;
    CREATE FUNCTION taxed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
      AS $$ BEGIN RETURN $1 * (SELECT 2 FROM helper LIMIT 1); END $$;
    CREATE TABLE helper (x int);
    INSERT INTO helper VALUES (1);
    CREATE TABLE identities (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (id * 2) STORED, v text);
    INSERT INTO identities (v) SELECT 'x' || n FROM generate_series(1, 50) n;
    CREATE TABLE no_columns ();
    INSERT INTO no_columns SELECT FROM generate_series(1, 7);
    CREATE TABLE parent (id int); CREATE TABLE child (extra text) INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'c');
    DO $$ BEGIN FOR i IN 1..120 LOOP
      EXECUTE format('CREATE TABLE tiny_%s (id int, v text)', i);
      EXECUTE format('INSERT INTO tiny_%s SELECT n, md5(n::text) FROM generate_series(1, %s) n', i, i);
    END LOOP; END $$;`);
  const report = (await source.runHere(undefined, undefined, { chunkBytes: 1 << 20 })) as {
    backupId: string;
  };
  backupId = report.backupId;
});
afterAll(() => source[Symbol.asyncDispose]());

const tables = [
  ...['accounts', 'empty', 'moods', 'numbers', 'numbers_0', 'helper', 'identities', 'no_columns'],
  ...['parent', 'child', 'ONLY parent', '"odd ""one"."emoji 🐘\ntable"', 'tiny_1', 'tiny_120'],
];
async function expectSame(load: LoadHarness): Promise<void> {
  for (const table of tables) {
    expect(await rowsOf(load.target, table), table).toEqual(await rowsOf(source.database, table));
  }
}

/** Vault reads, in order, and something to be done before one of them. */
function spied(load: LoadHarness, before: (reads: number) => Promise<void> = async () => {}) {
  const reads: { key: string; bytes: number }[] = [];
  const openReader: Deps['vault']['openReader'] = async (key, options) => {
    reads.push({ key, bytes: options?.range?.length ?? 0 });
    await before(reads.length);
    return load.deps.vault.openReader(key, options);
  };
  const vault: Deps['vault'] = new Proxy(load.deps.vault, {
    get(real, name) {
      if (name === 'openReader') return openReader;
      const value = Reflect.get(real, name, real);
      return typeof value === 'function' ? value.bind(real) : value;
    },
  });
  return { deps: { ...load.deps, vault }, reads };
}

describe('all units', () => {
  test('bring every row once, count them, and read each stored byte once', async () => {
    await using load = await loadHarness(source, backupId);
    const { deps, reads } = spied(load);
    const { rows, readBytes } = await load.loadAll(deps);
    await expectSame(load);
    expect(rows).toBe(load.manifest.totals.rows + load.manifest.largeObjects.data.rows);
    expect(reads.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(readBytes);
    const items = load.units.flatMap((unit) => unit.items);
    expect(items.length).toBeGreaterThan(130);
    expect(reads.length).toBeLessThan(60);
    const told = (of: 'rawBytes' | 'storedBytes' | 'rows') =>
      load.events.reduce((sum, event) => sum + (event[of] ?? 0), 0);
    expect(told('rawBytes')).toBe(items.reduce((sum, { rawBytes }) => sum + rawBytes, 0));
    expect(told('storedBytes')).toBe(readBytes);
    expect(told('rows')).toBe(rows);
    expect(new Set(load.events.map(({ state }) => state))).toEqual(new Set(['LoadUnit']));
  });

  test('twice change nothing, with and without their records', async () => {
    await using load = await loadHarness(source, backupId);
    const first = await load.loadAll();
    const again = await load.loadAll();
    expect(again).toMatchObject({ rows: first.rows, readBytes: first.readBytes });
    for (const { unit } of load.units) {
      await load.deps.workspace.delete(workspaceKeys.restorePart(load.run.runId, 'loaded', unit));
    }
    const { deps, reads } = spied(load);
    expect(await load.loadAll(deps)).toMatchObject({ rows: first.rows });
    expect(reads).toEqual([]);
    await expectSame(load);
  });

  test('that have no time do a little at each call and come to the end', async () => {
    const input = { options: { taskSeconds: 0.001 } };
    await using load = await loadHarness(source, backupId, { input, unitBytes: 256 << 20 });
    const { calls } = await load.loadAll();
    expect(calls).toBeGreaterThan(load.units.length);
    await expectSame(load);
  });
});

describe('a large table', () => {
  test('of one segment is written frozen, so that nobody has to write its pages again', async () => {
    await source.database.query(
      'CREATE TABLE IF NOT EXISTS lone AS SELECT n, md5(n::text) AS v FROM generate_series(1, 20000) n',
    );
    const report = (await source.runHere()) as { backupId: string };
    await using load = await loadHarness(source, report.backupId);
    await load.loadAll();
    expect(await rowsOf(load.target, 'lone')).toEqual(await rowsOf(source.database, 'lone'));
    await load.target.query('CREATE EXTENSION pg_visibility');
    const [visible] = await load.target.query<{ frozen: string; pages: string }>(
      `SELECT count(*) FILTER (WHERE all_frozen) AS frozen, count(*) AS pages FROM pg_visibility_map('lone')`,
    );
    expect(Number(visible?.pages)).toBeGreaterThan(100);
    expect(Number(visible?.frozen) / Number(visible?.pages)).toBeGreaterThan(0.75);
  });
});

describe('a connection', () => {
  test('that is lost midway is made again, and no row comes twice', async () => {
    await using load = await loadHarness(source, backupId);
    const { deps } = spied(load, async (reads) => {
      if (reads % 6 !== 3) return;
      await load.target.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE 'holdfast/${load.run.runId}/load-%'`,
      );
    });
    await load.loadAll(deps);
    await expectSame(load);
  });

  test('of an attempt that froze is ended before its unit is begun again', async () => {
    await using load = await loadHarness(source, backupId);
    let isFrozen: () => void = () => {};
    const frozen = new Promise<void>((resolve) => {
      isFrozen = resolve;
    });
    let goOn: () => void = () => {};
    const { deps } = spied(load, async (reads) => {
      if (reads > 1) return;
      isFrozen();
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    const runId = load.run.runId;
    const first = loadUnit(deps, { runId, unit: 0 });
    await frozen;
    const second = await loadUnit(load.deps, { runId, unit: 0 });
    expect(second.isDone).toBe(true);
    goOn();
    // It finds its session gone and what it wanted to do done.
    expect(await first).toMatchObject({ isDone: true, rows: second.rows });
    await load.loadAll();
    await expectSame(load);
  });
});

test('a run that was aborted is not worked on any more', async () => {
  const input = { options: { leaseSeconds: 1 } };
  await using load = await loadHarness(source, backupId, { input });
  const sessions = () =>
    load.target.query(
      `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'holdfast/${load.run.runId}/load-%'`,
    );
  const { deps } = spied(load, async (reads) => {
    if (reads > 1) return;
    expect(await sessions()).toHaveLength(1);
    const failure = { error: 'RestoreStatementError', message: 'test', hint: '', evidence: {} };
    await markRestoreAborted(load.deps, load.run.runId, failure as never);
    // The look that finds the mark drops the session.
    await expect.poll(sessions).toEqual([]);
  });
  await expect(load.loadAll(deps)).rejects.toMatchObject({ name: 'RunAbortedError' });
});
