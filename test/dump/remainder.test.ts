import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble } from '../../core/backup/assemble.ts';
import { readCompletedUnits } from '../../core/backup/receipts.ts';
import type { PlannedTable } from '../../core/contract/plan.ts';
import { markBinary, withoutSuperseded } from '../../core/dump/binary-marks.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';
import { type DumpRun, dumpRun, sliceOf } from './support.ts';

const folder = temporaryFolders();
let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('remainder');
  // 6 MB that compress to 3.
  await database.query(`CREATE TABLE rows AS
    SELECT n, (SELECT string_agg(md5(n::text || i), '') FROM generate_series(1, 32) i) AS pad
      FROM generate_series(1, 6000) n`);
});
afterAll(() => database.drop());

async function dumpAllParts(
  run: DumpRun,
  unit: number,
): Promise<{ rows: string[]; parts: number }> {
  const rows: string[] = [];
  for (let part = 0; part < 40; part++) {
    const output = await run.dump(unit, part);
    // Again, as after a crash between receipt and the next part.
    expect(await run.dump(unit, part)).toEqual(output);
    for (const text of await run.read(unit, part))
      rows.push(...text.toString().split('\n').slice(0, -1));
    if (!output.hasRemainder) return { rows, parts: part + 1 };
  }
  throw new Error('no end');
}

/** The 3 MB take some five seconds, and a part has three: enough to connect where others work on all cores. */
const slow = [{ taskSeconds: 3 }, 640 << 10] as const;

test('a unit that runs out of time goes on in further parts, each row once', async () => {
  await using run = await dumpRun(database, await folder(), ...slow);
  const bounds = [0, 100, 200, 300, 400, 500, null];
  const whole = await sliceOf(database, 'rows');
  const rangeOf = (from: number | null, i: number) => ({
    from: from ?? 0,
    to: bounds[i + 1] ?? null,
  });
  await run.plan(
    0,
    bounds.slice(0, -1).map((from, i) => ({ ...whole, blocks: rangeOf(from, i) })),
  );
  const { rows, parts } = await dumpAllParts(run, 0);
  expect(parts).toBeGreaterThan(1);
  expect(rows.length).toBe(6000);
  expect(new Set(rows).size).toBe(6000);
}, 120_000);

test('a slice that alone is too long is cut in halves until it fits', async () => {
  await using run = await dumpRun(database, await folder(), ...slow);
  await run.plan(0, [await sliceOf(database, 'rows')]);
  const { rows, parts } = await dumpAllParts(run, 0);
  expect(parts).toBeGreaterThan(2);
  expect(rows.length).toBe(6000);
  expect(new Set(rows).size).toBe(6000);
}, 120_000);

test('a table with a row beyond 1 GB of text goes as binary, once, whatever other units dumped as text', async () => {
  await database.query(`CREATE TABLE huge (id int, data bytea);
    ALTER TABLE huge ALTER data SET STORAGE EXTERNAL;
    INSERT INTO huge SELECT n, repeat('x', 1500)::bytea FROM generate_series(1, 40) n;
    INSERT INTO huge SELECT 41, convert_to(repeat('x', 600000000), 'UTF8')`);
  await using run = await dumpRun(database, await folder());
  const last = 6;
  await run.plan(0, [await sliceOf(database, 'huge', { from: 0, to: last })]);
  await run.plan(1, [
    await sliceOf(database, 'rows', { from: 0, to: 10 }),
    await sliceOf(database, 'huge', { from: last, to: null }),
  ]);
  await run.plan(2, [await sliceOf(database, 'huge', { from: last, to: null })]);
  expect((await run.dump(0)).rows).toBeGreaterThan(10);
  await run.dump(1);
  expect((await run.dump(2)).rows).toBe(0);
  const dumped = withoutSuperseded(
    (await Promise.all([0, 1, 2].map((unit) => run.receipt(unit)))).flatMap(
      ({ segments }) => segments,
    ),
  );
  const huge = dumped.filter(({ slice }) => slice.of === 'table' && slice.name === 'huge');
  expect(huge.map(({ segment }) => [segment.format, segment.rows, segment.blocks])).toEqual([
    ['binary', 41, { from: 0, to: null }],
  ]);
  expect(dumped.length).toBe(2);
}, 240_000);

test('what a part gave up of a table that another unit has taken over as binary is not left for anybody', async () => {
  await using run = await dumpRun(database, await folder());
  const { workspace } = run.deps;
  const slice = await sliceOf(database, 'rows');
  await run.plan(0, [slice]);
  await putJson(workspace, workspaceKeys.receipt(run.runId, 0, 0), {
    ...{ unit: 0, part: 0, segments: [], hasRemainder: true, durationMs: 1 },
    object: { key: 'given-up', versionId: 'v', storedBytes: 0, sha256: '0'.repeat(64) },
  });
  await run.plan(1, [{ ...slice, format: 'binary' }]);
  await run.dump(1);
  await markBinary(workspace, run.runId, slice.oid, { unit: 1, part: 0 });
  expect(await run.dump(0, 0)).toMatchObject({ hasRemainder: true });
  expect(await run.dump(0, 1)).toMatchObject({ hasRemainder: false, rows: 0 });
  const units = await readCompletedUnits(run.deps, run.runId, 2);
  const schema = { snapshot: '', objects: [], sections: [], pgDumpVersion: '18' };
  const { oid, columns } = slice;
  const planned: PlannedTable = {
    ...{ oid, columns, schema: 'public', name: 'rows', owner: 'postgres' },
    ...{ kind: 'table', persistence: 'permanent' },
  };
  const { tables, objects } = assemble([planned], schema, units);
  expect(tables).toMatchObject([{ rows: 6000, format: 'binary' }]);
  expect(objects).toEqual([(await run.receipt(1)).object]);
});

test('the first mark of a table stays', async () => {
  await using run = await dumpRun(database, await folder());
  await markBinary(run.deps.workspace, run.runId, 5, { unit: 1, part: 0 });
  await markBinary(run.deps.workspace, run.runId, 5, { unit: 2, part: 0 });
  const entry = await run.deps.workspace.get(workspaceKeys.binaryMark(run.runId, 5));
  expect(JSON.parse(Buffer.from(entry?.body ?? []).toString())).toEqual({ unit: 1, part: 0 });
});
