import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BackupReport } from '../../core/contract/catalogue.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { type Harness, makeHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await makeHarness('ddl');
});
afterAll(() => harness[Symbol.asyncDispose]());

/** What a migration may do to a table, and the rows that it has (or has not) afterwards. */
const changes = {
  truncate: { sql: (table: string) => `TRUNCATE ${table}`, after: [] },
  drop: { sql: (table: string) => `DROP TABLE ${table}`, after: undefined },
  rename: {
    sql: (table: string) => `ALTER TABLE ${table} RENAME TO ${table}_new`,
    after: undefined,
  },
  rewrite: {
    sql: (table: string) => `ALTER TABLE ${table} ALTER n TYPE text USING 'was ' || n`,
    after: ['was 1', 'was 2', 'was 3'],
  },
} as const;
type Change = keyof typeof changes;
const before = ['1', '2', '3'];
const states = [
  'Plan',
  'HoldSnapshot',
  'DumpSchema',
  'PlanUnits',
  'DumpUnit',
  'ReleaseSnapshot',
  'Seal',
  'VerifyUnit',
  'Publish',
] as const satisfies readonly StateName[];
const tableOf = (state: string, change: string) => `t_${state}_${change}`.toLowerCase();

it('whatever a migration does before whichever state, the backup is of one instant', async () => {
  const client = new pg.Client({ connectionString: harness.database.url });
  await client.connect();
  for (const state of states) {
    for (const change of Object.keys(changes)) {
      await client.query(
        `CREATE TABLE ${tableOf(state, change)} AS SELECT generate_series(1, 3) AS n`,
      );
    }
  }
  await client.query('SET lock_timeout = 200');
  const isDone = new Map<string, boolean>();
  const seen = new Set<StateName>();
  let isHeld = false;
  const report = (await harness.runHere(
    async (state, _input, call) => {
      if (!seen.has(state) && (states as readonly string[]).includes(state)) {
        seen.add(state);
        for (const [change, { sql }] of Object.entries(changes)) {
          const table = tableOf(state, change);
          const done = client.query(sql(table)).then(
            () => true,
            () => false,
          );
          // What is done before the snapshot is in it; what is done later must not be.
          isDone.set(table, (await done) && !isHeld);
        }
      }
      const output = await call();
      if (state === 'HoldSnapshot') isHeld = true;
      return output;
    },
    undefined,
    { jobs: 1 },
  )) as BackupReport;
  await client.end();

  expect([...seen].sort()).toEqual([...states].sort());
  expect([...isDone.values()]).toContain(true);
  expect([...isDone.values()]).toContain(false);
  const manifest = await harness.manifest(report.backupId);
  for (const state of states) {
    for (const change of Object.keys(changes) as Change[]) {
      const name = tableOf(state, change);
      const table = manifest.tables.find((entry) => entry.name === name);
      const rows = table && (await harness.rowsOf(manifest, table));
      expect({ name, rows }).toEqual({
        name,
        rows: isDone.get(name) ? changes[change].after : before,
      });
    }
  }
});
