/** A backup, and a database with its definitions before the rows: where the load begins. */
import pg from 'pg';
import type { Deps, Progress } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { LoadUnit, RestoreRun } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { sectionOf } from '../../core/restore/definitions.ts';
import { finishRows } from '../../core/restore/finish-rows.ts';
import { planLoads } from '../../core/restore/load/plan-loads.ts';
import { loadUnit } from '../../core/restore/load-unit.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import { putJson } from '../../core/vault/json.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import type { Harness } from '../backup/harness.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';
import { planRun } from './planned-run.ts';

export interface LoadHarness extends AsyncDisposable {
  readonly deps: Deps;
  readonly run: RestoreRun;
  readonly manifest: Manifest;
  readonly target: TestDatabase;
  readonly units: readonly LoadUnit[];
  readonly events: Progress[];
  /** All units, one after another, to their end. */
  loadAll(deps?: Deps): Promise<{ rows: number; readBytes: number; calls: number }>;
  finish(): Promise<{ sequences: number; largeObjects: number }>;
}

export interface LoadRequest {
  readonly input?: Record<string, unknown>;
  readonly unitBytes?: number;
  /** Before pre-data. */
  readonly prepare?: string;
  /** User of the target; default: the superuser. */
  readonly user?: { readonly name: string; readonly password: string };
}

/** @param backupId of the harness' vault */
export async function loadHarness(
  source: Harness,
  backupId: string,
  request: LoadRequest = {},
): Promise<LoadHarness> {
  const target = await testDatabase('load_target');
  const { manifest } = await loadManifest(source.deps, 'shop', backupId);
  const events: Progress[] = [];
  const settings = request.user
    ? {
        ...target.settings,
        user: request.user.name,
        password: async () => request.user?.password ?? '',
      }
    : target.settings;
  const deps: Deps = {
    ...source.deps,
    connectionOf: async () => settings,
    progress: (event) => events.push(event),
  };
  const run = await planRun(deps, manifest, {
    input: { ...request.input },
    workDatabase: target.name,
  });
  const { preamble, entries } = await sectionOf(deps, run, 'pre-data');
  const maker = new pg.Client({
    ...{ host: settings.host, port: settings.port, database: target.name, user: settings.user },
    password: await settings.password(),
  });
  if (request.prepare !== undefined) await target.query(request.prepare);
  await maker.connect();
  for (const statement of [...preamble, ...entries.flatMap(({ statements }) => statements)])
    await maker.query(statement);
  await maker.end();
  await using session = await openSession(settings, {
    applicationName: 'test',
    purpose: 'writer',
  });
  await createBookkeeping(session, run);
  const units = planLoads(
    manifest,
    manifest.tables.map((_, index) => index),
    request.unitBytes ?? 1 << 20,
    true,
  );
  for (const unit of units) {
    await putJson(deps.workspace, workspaceKeys.restorePart(run.runId, 'loads', unit.unit), unit);
  }
  return {
    ...{ deps, run, manifest, target, units, events },
    async loadAll(by = deps) {
      const total = { rows: 0, readBytes: 0, calls: 0 };
      for (const { unit } of units) {
        for (;;) {
          const done = await loadUnit(by, { runId: run.runId, unit });
          total.calls += 1;
          if (!done.isDone) continue;
          total.rows += done.rows;
          total.readBytes += done.readBytes;
          break;
        }
      }
      return total;
    },
    finish: () => finishRows(deps, { runId: run.runId }),
    [Symbol.asyncDispose]: () => target.drop(),
  };
}

/** Every row of a table, as text, in one order. */
export async function rowsOf(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ row: string }>(
    `SELECT t::text AS row FROM ${table} t ORDER BY 1`,
  );
  return rows.map(({ row }) => row);
}
