import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSchema } from '../../core/compare/compare-schema.ts';
import { compareUnit } from '../../core/compare/compare-unit.ts';
import { readValidity } from '../../core/compare/validity.ts';
import { comparisonSchema } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { readWarnings } from '../../core/report/facts.ts';
import { getJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { runBackup } from '../../local/engine/run-backup.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { restoreBackup } from '../support/restore-backup.ts';
import { type ComparedRun, restoredRun } from './harness.ts';

let harness: Harness;
let backupId: string;
let target: TestDatabase;
beforeAll(async () => {
  harness = await makeHarness('bounded_compare');
  await harness.database.query(`CREATE EXTENSION amcheck;
    CREATE TABLE orders (id int PRIMARY KEY, day date);
    CREATE INDEX by_day ON orders (day);
    INSERT INTO orders SELECT i, date '2026-01-01' + i % 7 FROM generate_series(1, 700) i;
    SELECT lo_from_bytea(i::oid, convert_to(repeat(i::text, 3000), 'UTF8')) FROM generate_series(40001, 40020) i`);
  ({ backupId } = await runBackup(harness.options()));
  target = await testDatabase('bounded_compare_target');
  await restoreBackup(harness.deps, await harness.manifest(backupId), target.url);
});
afterAll(async () => {
  await target?.drop();
  await harness?.[Symbol.asyncDispose]();
});

/** @returns calls of the state for this unit */
async function compareOne({ deps, run }: ComparedRun, unit: number): Promise<number> {
  for (let calls = 1; ; calls += 1) {
    const { isDone } = await compareUnit(deps, { runId: run.runId, unit });
    if (isDone) return calls;
  }
}

const record = ({ deps, run }: ComparedRun, unit: number) =>
  getJson(deps.workspace, comparisonSchema, workspaceKeys.restorePart(run.runId, 'compared', unit));

const change = (byte: string) =>
  target.query(`SELECT lo_put(40003, 5000, convert_to('${byte}', 'UTF8'))`);

describe('the data of large objects', () => {
  it('is a unit of its own, read in parts as its time allows, and by nobody else', async () => {
    // A piece for each large object, whatever the server takes for their size.
    const options = { taskSeconds: 0.001, unitBytes: 1, jobs: 1 };
    const restored = await restoredRun(harness, backupId, target, { options });
    const last = restored.units - 1;
    for (let unit = 0; unit < last; unit += 1) await compareOne(restored, unit);
    expect(await compareOne(restored, last)).toBeGreaterThan(2);
    expect(await record(restored, last)).toEqual({ tables: [], differences: [] });
    await change('x');
    const { differences } = await compareSchema(restored.deps, { runId: restored.run.runId });
    await change('4');
    expect(differences).toBe(0);
  });

  it('that is other data ends the restore', async () => {
    const restored = await restoredRun(harness, backupId, target);
    await change('x');
    for (let unit = 0; unit < restored.units; unit += 1) await compareOne(restored, unit);
    await change('4');
    expect((await record(restored, restored.units - 1))?.differences).toMatchObject([
      { kind: 'large-objects', object: 'data of the large objects', isExpected: false },
    ]);
    await expect(compareSchema(restored.deps, { runId: restored.run.runId })).rejects.toMatchObject(
      {
        name: 'RestoreDifferentError',
      },
    );
  });

  it('is not all: one that is missing without data is found by the schema', async () => {
    const restored = await restoredRun(harness, backupId, target);
    for (let unit = 0; unit < restored.units; unit += 1) await compareOne(restored, unit);
    await target.query('SELECT lo_create(50001)');
    const failure = compareSchema(restored.deps, { runId: restored.run.runId });
    await expect(failure).rejects.toMatchObject({
      message: expect.stringContaining('large objects (backup: 20 large objects; target: 21'),
    });
    await target.query('SELECT lo_unlink(50001)');
  });
});

describe('amcheck', () => {
  it('stops when its time is over and says how many indexes are left', async () => {
    const options = { applicationName: 'holdfast/test/amcheck', purpose: 'worker' } as const;
    await using session = await openSession(target.settings, options);
    await session.query('BEGIN READ ONLY');
    expect(await readValidity(session, 0)).toMatchObject({ uncheckedIndexes: 2 });
    expect(await readValidity(session, 60_000)).toMatchObject({
      damagedIndexes: [],
      uncheckedIndexes: 0,
    });
    expect(await session.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
  });

  it('that had no time is a warning of the restore and no difference', async () => {
    const short = { options: { taskSeconds: 0.000_01 } };
    const restored = await restoredRun(harness, backupId, target, short);
    for (let unit = 0; unit < restored.units; unit += 1) await compareOne(restored, unit);
    const { runId } = restored.run;
    expect(await compareSchema(restored.deps, { runId })).toEqual({ differences: 0 });
    expect(await readWarnings(restored.deps, runId)).toMatchObject([
      { code: 'indexes-not-checked', message: expect.stringMatching(/^2 b-tree indexes/) },
    ]);
  });
});
