import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dumpUnit } from '../../core/dump/dump-unit.ts';
import { openSession } from '../../core/postgres/session.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { beforeWrites, dumpRun, sliceOf } from './support.ts';

const folder = temporaryFolders();
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('dump_unit');
});
afterAll(() => database.drop());

async function table(name: string, rows: number): Promise<void> {
  await database.query(
    `CREATE TABLE ${name} AS SELECT n, repeat('x', 200) AS pad FROM generate_series(1, ${rows}) n`,
  );
}
const numbers = (texts: Buffer[]) =>
  Buffer.concat(texts)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((row) => Number(row.split('\t')[0]))
    .sort((a, b) => a - b);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const objectsOf = async (run: Awaited<ReturnType<typeof dumpRun>>) => {
  const keys: string[] = [];
  for await (const { key } of run.sample.vault.list('backups/')) keys.push(key);
  return keys;
};

describe('a unit', () => {
  test('packs its slices back to back into one object that reads back, each by itself', async () => {
    await table('packed_a', 3000);
    await table('packed_b', 10);
    await database.query('CREATE TABLE packed_empty (n int)');
    await using run = await dumpRun(database, await folder());
    await run.plan(3, [
      await sliceOf(database, 'packed_a', { from: 0, to: 40 }),
      await sliceOf(database, 'packed_empty'),
      await sliceOf(database, 'packed_b'),
      await sliceOf(database, 'packed_a', { from: 40, to: null }),
    ]);
    const output = await run.dump(3);
    const { object, segments, hasRemainder } = await run.receipt(3);
    expect(output).toEqual({
      of: expect.any(String),
      part: 0,
      hasRemainder: false,
      rows: 3010,
      storedBytes: object.storedBytes,
    });
    expect(hasRemainder).toBe(false);
    let offset = 0;
    for (const { segment } of segments) {
      expect(segment.offset).toBe(offset);
      offset += segment.storedBytes;
    }
    expect(object.storedBytes).toBe(offset);
    const texts = await run.read(3);
    expect(texts[1]?.length).toBe(0);
    expect(numbers([texts[2] as Buffer])).toEqual(upTo(10));
    expect(numbers([texts[0] as Buffer, texts[3] as Buffer])).toEqual(upTo(3000));
    expect((await run.sample.vault.head(object.key)).tags).toEqual({ 'holdfast-tier': 'staged' });
    expect(run.messages.reduce((sum, { rows = 0 }) => sum + rows, 0)).toBe(3010);
  });

  test('sees the snapshot and not what was written since', async () => {
    await table('steady', 50);
    await using run = await dumpRun(database, await folder());
    await run.plan(0, [await sliceOf(database, 'steady')]);
    await database.query(
      'DELETE FROM steady WHERE n <= 20; INSERT INTO steady VALUES (1000, NULL); UPDATE steady SET n = n + 500',
    );
    await run.dump(0);
    expect(numbers(await run.read(0))).toEqual(upTo(50));
  });

  test('that is dumped again returns the facts of its receipt and writes nothing', async () => {
    await table('twice', 50);
    await using run = await dumpRun(database, await folder());
    await run.plan(0, [await sliceOf(database, 'twice')]);
    const first = await run.dump(0);
    const objects = await objectsOf(run);
    await run.dropSnapshot();
    expect(await run.dump(0)).toEqual(first);
    expect(await objectsOf(run)).toEqual(objects);
  });

  test('dumped by two attempts at once has one receipt, and both return it', async () => {
    await table('race', 50);
    await using run = await dumpRun(database, await folder());
    await run.plan(0, [await sliceOf(database, 'race')]);
    const outcomes = await Promise.allSettled([run.dump(0), run.dump(0)]);
    const good = outcomes.filter(({ status }) => status === 'fulfilled');
    // One may have ended the other's session before it was done.
    expect(good.length).toBeGreaterThan(0);
    expect(numbers(await run.read(0))).toEqual(upTo(50));
  });

  test('ends the session that an earlier attempt of it left behind', async () => {
    await table('predecessor', 5);
    await using run = await dumpRun(database, await folder());
    await run.plan(7, [await sliceOf(database, 'predecessor')]);
    const applicationName = `holdfast/${run.runId}/unit-7`;
    const left = await openSession(database.settings, { applicationName, purpose: 'worker' });
    await run.dump(7);
    const [row] = await database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid = $1',
      [left.backendPid],
    );
    expect(row?.n).toBe(0);
  });
});

describe('a table that changed since the snapshot is TableChangedError', () => {
  test.each([
    ['truncated', (name: string) => `TRUNCATE ${name}`],
    ['rewritten', (name: string) => `ALTER TABLE ${name} ALTER n TYPE bigint`],
    ['dropped', (name: string) => `DROP TABLE ${name}`],
    ['renamed', (name: string) => `ALTER TABLE ${name} RENAME TO ${name}_old`],
    [
      'exchanged',
      (name: string) =>
        `ALTER TABLE ${name} RENAME TO ${name}_old; CREATE TABLE ${name} (n int, pad text)`,
    ],
  ])('when it was %s', async (how, sql) => {
    const name = `changed_${how}`;
    await table(name, 20);
    await using run = await dumpRun(database, await folder());
    await run.plan(0, [await sliceOf(database, name)]);
    await database.query(sql(name));
    await expect(run.dump(0)).rejects.toMatchObject({ name: 'TableChangedError' });
    expect(await objectsOf(run)).toEqual([]);
  });

  test('when schemas change places between two slices, which asks for no lock on the table', async () => {
    await database.query(`
      CREATE SCHEMA live; CREATE SCHEMA next;
      CREATE TABLE live.first AS SELECT n, repeat('x', 200) AS pad FROM generate_series(1, 20) n;
      CREATE TABLE live.second AS TABLE live.first; CREATE TABLE next.second AS TABLE live.first WITH NO DATA`);
    await using run = await dumpRun(database, await folder());
    await run.plan(
      0,
      await Promise.all(
        ['first', 'second'].map((name) => sliceOf(database, name, undefined, 'live')),
      ),
    );
    let swap: Promise<unknown> | undefined;
    const vault = beforeWrites(run.deps.vault, async () => {
      swap ??= database.query(
        'BEGIN; ALTER SCHEMA live RENAME TO past; ALTER SCHEMA next RENAME TO live; COMMIT',
      );
      await swap;
    });
    await expect(
      dumpUnit({ ...run.deps, vault }, { runId: run.runId, unit: 0, part: 0 }),
    ).rejects.toMatchObject({
      name: 'TableChangedError',
      message: expect.stringContaining('second'),
    });
    expect(await objectsOf(run)).toEqual([]);
  });

  test('while it is being rewritten is LockNotAvailableError', async () => {
    await table('locked', 20);
    await using run = await dumpRun(database, await folder());
    await run.plan(0, [await sliceOf(database, 'locked')]);
    await database.query('BEGIN; ALTER TABLE locked ADD other int');
    await expect(run.dump(0)).rejects.toMatchObject({ name: 'LockNotAvailableError' });
    await database.query('ROLLBACK');
    await run.dump(0);
  });
});

test('a snapshot that is gone is SnapshotLostError', async () => {
  await table('orphan', 20);
  await using run = await dumpRun(database, await folder());
  await run.plan(0, [await sliceOf(database, 'orphan')]);
  await run.dropSnapshot();
  await expect(run.dump(0)).rejects.toMatchObject({ name: 'SnapshotLostError' });
});

test('the abort mark ends a unit that would take a minute, and leaves no object and no session', async () => {
  await table('aborted', 20);
  await using run = await dumpRun(database, await folder());
  // 20 rows of which each takes 3 s.
  const slice = { ...(await sliceOf(database, 'aborted')), where: 'pg_sleep(3) IS NOT NULL' };
  await run.plan(0, [slice]);
  const sessions = (condition: string) =>
    database.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND ${condition}`, [
      `holdfast/${run.runId}/unit-0`,
    ]);
  const dumping = expect(run.dump(0)).rejects.toMatchObject({ name: 'RunAbortedError' });
  await expect.poll(() => sessions(`wait_event = 'PgSleep'`), { timeout: 30_000 }).not.toEqual([]);
  const mark = { error: 'VaultFullError', cause: 'disk', at: new Date().toISOString() };
  await putJson(run.deps.workspace, workspaceKeys.aborted(run.runId), mark);
  const marked = Date.now();
  await dumping;
  expect(Date.now() - marked).toBeLessThan(30_000);
  expect(await objectsOf(run)).toEqual([]);
  await expect.poll(() => sessions('true'), { timeout: 30_000 }).toEqual([]);
  await expect(run.dump(0)).rejects.toMatchObject({ name: 'RunAbortedError' });
}, 120_000);
