/** A backup of a filled shop, and restores of it whose databases are dropped at the end. */
import pg from 'pg';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { type BackupRequest, newRunId, runBackup } from '../../local/engine/run-backup.ts';
import {
  type RestoreRequest,
  type RunRestoreOptions,
  runRestore,
} from '../../local/engine/run-restore.ts';
import { fillShop, type Harness, makeHarness, requestedBy } from '../backup/harness.ts';
import { sharedSettings, type TestDatabase } from '../support/postgres.ts';
import { onServer } from './shared-server.ts';

export interface RestoreHarness extends AsyncDisposable {
  readonly source: Harness;
  readonly backupId: string;
  /** Options for `runRestore`: to the shared server, by its database `postgres`. */
  options(input?: Partial<RestoreRequest>, more?: Partial<RunRestoreOptions>): RunRestoreOptions;
  restore(
    input?: Partial<RestoreRequest>,
    more?: Partial<RunRestoreOptions>,
  ): Promise<RestoreReport>;
  /** Is dropped at the end. */
  ownDatabase(name: string): string;
  /** Of this harness: the source, what was made of it, and what `ownDatabase` was told of. */
  databases(): Promise<string[]>;
  /** JSON of a key of the workspace. */
  read(key: string): Promise<Record<string, unknown> | undefined>;
}

export async function makeRestoreHarness(
  name: string,
  fill: (database: TestDatabase) => Promise<void> = fillShop,
  backup: Partial<BackupRequest> = {},
): Promise<RestoreHarness> {
  const source = await makeHarness(name);
  await fill(source.database);
  const { backupId } = await runBackup(source.options({}, backup)).catch(async (error: unknown) => {
    await source[Symbol.asyncDispose]();
    throw error;
  });
  const connection = sharedSettings('postgres');
  const made = new Set<string>();
  const options: RestoreHarness['options'] = (input = {}, more = {}) => ({
    ...{ vaultDirectory: source.vaultDirectory, keyFile: source.keyFile, connection, jobs: 2 },
    input: { target: 'here', requestedBy, ...input },
    runId: newRunId(),
    ...more,
  });
  const databases = async () => {
    const rows = await onServer<{ name: string }>(
      'postgres',
      'SELECT datname AS name FROM pg_database',
    );
    // Other tests make theirs on the same server at the same time.
    const roots = [source.database.name, ...made];
    return rows
      .map((row) => row.name)
      .filter((one) => roots.some((root) => one === root || one.startsWith(`${root}_`)));
  };
  return {
    source,
    backupId,
    options,
    databases,
    restore: (input, more) => runRestore(options(input, more)),
    ownDatabase(own) {
      made.add(own);
      return own;
    },
    async read(key) {
      const entry = await source.deps.workspace.get(key);
      return entry && (JSON.parse(Buffer.from(entry.body).toString()) as Record<string, unknown>);
    },
    async [Symbol.asyncDispose]() {
      const left = await databases();
      const ours = left.filter(
        (one) => made.has(one) || one.startsWith(`${source.database.name}_`),
      );
      for (const own of ours) {
        await onServer(
          'postgres',
          `ALTER DATABASE ${pg.escapeIdentifier(own)} ALLOW_CONNECTIONS true`,
        );
        await onServer('postgres', `DROP DATABASE ${pg.escapeIdentifier(own)} WITH (FORCE)`);
      }
      await source[Symbol.asyncDispose]();
    },
  };
}

/**
 * What a database holds, by SQL of its own and not by the product's comparison: rows of every table, definitions of
 * indexes and constraints, sequences, large objects.
 */
export async function contentOf(database: string): Promise<Record<string, unknown>> {
  const userSchema = (column: string) =>
    `${column} NOT LIKE 'pg\\_%' AND ${column} <> 'information_schema'`;
  const tables = await onServer<{ name: string; filled: boolean }>(
    database,
    `SELECT c.oid::regclass::text AS name, relispopulated AS filled FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'm') AND ${userSchema('nspname')} ORDER BY 1`,
  );
  const rows: Record<string, unknown> = {};
  for (const { name, filled } of tables) {
    if (!filled) rows[name] = 'not populated';
    else
      [rows[name]] = await onServer<{ rows: string; hash: string }>(
        database,
        `SELECT count(*) AS rows, md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), '')) AS hash FROM ${name} t`,
      );
  }
  return {
    rows,
    indexes: await onServer(
      database,
      `SELECT indexdef, indisvalid FROM pg_indexes JOIN pg_index ON indexrelid = format('%I.%I', schemaname, indexname)::regclass
        WHERE ${userSchema('schemaname')} ORDER BY 1`,
    ),
    constraints: await onServer(
      database,
      `SELECT conname, conrelid::regclass::text, pg_get_constraintdef(c.oid) AS definition, convalidated
         FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE ${userSchema('nspname')} ORDER BY 1, 2`,
    ),
    sequences: await onServer(
      database,
      `SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2`,
    ),
    largeObjects: await onServer(
      database,
      'SELECT oid, md5(lo_get(oid)) AS hash FROM pg_largeobject_metadata ORDER BY 1',
    ),
    schemas: await onServer(
      database,
      `SELECT nspname FROM pg_namespace WHERE ${userSchema('nspname')} ORDER BY 1`,
    ),
  };
}
