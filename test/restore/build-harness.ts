/** A restore up to its rows, loaded as plainly as can be, and the builds after it. */
import pg from 'pg';
import type { Deps } from '../../core/contract/deps.ts';
import type { TableEntry } from '../../core/contract/manifest.ts';
import type { InputOf, OutputOf } from '../../core/contract/payloads.ts';
import { type Build, buildSchema, type RestoreRun } from '../../core/contract/restore.ts';
import { inParallel } from '../../core/in-parallel.ts';
import { runBuild } from '../../core/restore/build.ts';
import { planWaves } from '../../core/restore/builds/plan-waves.ts';
import { readTargetFacts } from '../../core/restore/builds/target-facts.ts';
import { createTarget } from '../../core/restore/create-target.ts';
import { readDeferredChecks } from '../../core/restore/deferred-checks.ts';
import { entriesOf, manifestOf } from '../../core/restore/definitions.ts';
import { planBuilds } from '../../core/restore/plan-builds.ts';
import { openTarget } from '../../core/restore/target-session.ts';
import { decodeJson, putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { openSegment } from '../../core/verify/read-segment.ts';
import type { Harness } from '../backup/harness.ts';
import { copyIn } from '../support/copy-in.ts';
import { type PlannedRestore, planRestoreHere } from './create-harness.ts';

export interface Loaded extends PlannedRestore, AsyncDisposable {
  /** In the restored database, as superuser. */
  readonly client: pg.Client;
  rows<T extends pg.QueryResultRow>(sql: string): Promise<T[]>;
  /** Record of the build whose label is this. */
  buildOf(label: string): Promise<Build>;
  builds(): Promise<Build[]>;
}

/** A backup of the harness's database with its rows in a new database. */
export async function loadRows(
  harness: Harness,
  input: Record<string, unknown> = {},
): Promise<Loaded> {
  const planned = await planRestoreHere(harness, input);
  const { run, deps } = planned;
  await createTarget(deps, { runId: run.runId });
  const client = await connect(deps, run);
  const manifest = await manifestOf(deps, run);
  for (const table of manifest.tables) {
    for (const segment of table.segments) {
      const object = manifest.objects[segment.object];
      if (object === undefined) throw new Error('The manifest lacks an object.');
      await copyIn(client, copyStatement(table), (await openSegment(deps, object, segment)).plain);
    }
  }
  const builds = async () => {
    const records: Build[] = [];
    for (let n = 0; ; n += 1) {
      const key = workspaceKeys.restorePart(run.runId, 'builds', n);
      const entry = await deps.workspace.get(key);
      if (entry === undefined) return records;
      records.push(decodeJson(buildSchema, entry.body, key));
    }
  };
  return {
    ...planned,
    client,
    builds,
    rows: async <T extends pg.QueryResultRow>(sql: string) => (await client.query<T>(sql)).rows,
    async buildOf(label) {
      const found = (await builds()).find((build) => build.label === label);
      if (found === undefined) throw new Error(`No build is called ${label}.`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await dropSubscriptions(client);
      await client.end();
      await harness.database.query(`DROP DATABASE IF EXISTS "${run.workDatabase}" WITH (FORCE)`);
    },
  };
}

/** A database with one cannot be dropped; without its slot's name the publisher is not asked. */
export async function dropSubscriptions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(subname) AS name FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  for (const { name } of rows) {
    await client.query(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
    await client.query(`DROP SUBSCRIPTION ${name}`);
  }
}

async function connect(deps: Deps, run: RestoreRun): Promise<pg.Client> {
  const { host, port, user, password } = await deps.connectionOf('target');
  const client = new pg.Client({
    ...{ host, port, user, database: run.workDatabase, password: await password() },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function copyStatement(table: TableEntry): string {
  const name = [table.schema, table.name].map((part) => pg.escapeIdentifier(part)).join('.');
  const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
  const format = table.format === 'binary' ? ', FORMAT binary' : '';
  return `COPY ${name}${columns === '' ? '' : ` (${columns})`} FROM STDIN WITH (ENCODING 'UTF8'${format})`;
}

/** Until it is done, as the state machine does it, with short pauses. */
export async function buildUntilDone(
  deps: Deps,
  input: InputOf<'Build'>,
  patienceMs?: number,
): Promise<OutputOf<'Build'>[]> {
  const answers: OutputOf<'Build'>[] = [];
  for (;;) {
    const answer = await runBuild(deps, input, patienceMs);
    answers.push(answer);
    if (answer.isDone) return answers;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The records of PlanBuilds, for tables of 1 GB each: so that nothing is small enough for a batch. */
export async function planAsIfLarge({ deps, run }: PlannedRestore): Promise<number[][]> {
  const manifest = await manifestOf(deps, run);
  await using session = await openTarget(deps, run, 'plan');
  const waves = planWaves({
    entries: await entriesOf(deps, run, 'post-data'),
    facts: await readTargetFacts(session, run),
    tables: manifest.tables.map((table) => ({ ...table, rawBytes: 2 ** 30 })),
    checks: await readDeferredChecks(deps, run),
    switchedOff: manifest.inventory.switchedOff ?? [],
    databaseSettings: manifest.inventory.database.settings,
    options: run.input.options,
  });
  let build = 0;
  const numbers: number[][] = [];
  for (const wave of waves) {
    numbers.push(wave.map((_, index) => build + index));
    for (const draft of wave) {
      const key = workspaceKeys.restorePart(run.runId, 'builds', build);
      await putJson(deps.workspace, key, { build, ...draft });
      build += 1;
    }
  }
  return numbers;
}

/** All waves: those that are given, or of PlanBuilds. */
export async function buildAll(
  { deps, run: { runId } }: PlannedRestore,
  given?: number[][],
  jobs = 4,
): Promise<void> {
  const waves = given ?? (await planBuilds(deps, { runId })).waves;
  for (const wave of waves) {
    await inParallel(wave, jobs, (build) => buildUntilDone(deps, { runId, build }));
  }
}
