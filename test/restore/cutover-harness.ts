/** A backup of a small shop, and restores of it that stand right before their cutover. */
import pg from 'pg';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest } from '../../core/contract/manifest.ts';
import type { RestoreRun } from '../../core/contract/restore.ts';
import { openSession } from '../../core/postgres/session.ts';
import { createBookkeeping } from '../../core/restore/progress.ts';
import { type Harness, makeHarness } from '../backup/harness.ts';
import { sharedSettings, type TestDatabase } from '../support/postgres.ts';
import { newestBackup, planRun, type RunRequest } from './planned-run.ts';
import { dropDatabases, onServer, unique } from './shared-server.ts';

export interface CutoverHarness extends AsyncDisposable {
  readonly source: Harness;
  /** `connectionOf` gives the shared server. */
  readonly deps: Deps;
  readonly manifest: Manifest;
  /** Names of databases; those that are there in the end are dropped. */
  readonly made: string[];
  /** As PlanRestore leaves it; its databases are dropped in the end. */
  plan(request: RunRequest): Promise<RestoreRun>;
}

export async function makeCutoverHarness(
  name: string,
  fill: (database: TestDatabase) => Promise<unknown> = ({ query }) =>
    query('CREATE TABLE small (id int PRIMARY KEY)'),
): Promise<CutoverHarness> {
  const source = await makeHarness(name);
  const backUp = async () => {
    await fill(source.database);
    return source.manifest(await newestBackup(source));
  };
  const manifest = await backUp().catch(async (error: unknown) => {
    await source[Symbol.asyncDispose]();
    throw error;
  });
  const deps = targetDeps(source.deps);
  const made: string[] = [];
  return {
    ...{ source, deps, manifest, made },
    plan(request) {
      const { workDatabase, finalDatabase, previousDatabase } = request;
      const names = [workDatabase, finalDatabase, previousDatabase];
      made.push(...names.filter((one) => typeof one === 'string'));
      return planRun(deps, manifest, request);
    },
    async [Symbol.asyncDispose]() {
      await dropDatabases(made);
      await source[Symbol.asyncDispose]();
    },
  };
}

/** The deps of a backup's harness, with the server's maintenance database as the target. */
export const targetDeps = (deps: Deps): Deps => ({
  ...deps,
  connectionOf: async () => sharedSettings('postgres'),
});

/** A database under the working name, with the bookkeeping of the run in it and a table `restored`. */
export async function makeWorkDatabase(run: RestoreRun): Promise<void> {
  await onServer(
    'postgres',
    `CREATE DATABASE ${pg.escapeIdentifier(run.workDatabase)} TEMPLATE template0`,
  );
  await onServer(run.workDatabase, "CREATE TABLE restored AS SELECT 'from the backup' AS what");
  await using session = await openSession(sharedSettings(run.workDatabase), {
    applicationName: 'test',
    purpose: 'writer',
  });
  await createBookkeeping(session, run);
}

/** A restore of mode swap that stands before its cutover, and the database that it replaces. */
export async function standingSwap(
  harness: CutoverHarness,
  finalDatabase = unique('live'),
  input: Record<string, unknown> = {},
) {
  const [workDatabase, previousDatabase] = [`${finalDatabase}_restore`, `${finalDatabase}_before`];
  await onServer(
    'postgres',
    `CREATE DATABASE ${pg.escapeIdentifier(finalDatabase)} TEMPLATE template0`,
  );
  const run = await harness.plan({
    input: { mode: 'swap', ...input },
    ...{ workDatabase, finalDatabase, previousDatabase },
  });
  await makeWorkDatabase(run);
  return { ...run, previousDatabase };
}
