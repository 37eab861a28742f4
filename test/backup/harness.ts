/** A vault of its own, a source, and the two ways to run a backup: with worker processes, or in this process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createZstdDecompress } from 'node:zlib';
import { expect, vi } from 'vitest';
import type { CatalogueEntry } from '../../core/contract/catalogue.ts';
import type { Deps } from '../../core/contract/deps.ts';
import type { Manifest, TableEntry } from '../../core/contract/manifest.ts';
import type { StateName } from '../../core/contract/payloads.ts';
import { backupInputSchema } from '../../core/contract/plan.ts';
import { listCatalogue } from '../../core/evidence/catalogue.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { handlers } from '../../lambdas/handlers.ts';
import { openLocalDeps } from '../../local/engine/local-deps.ts';
import {
  type BackupRequest,
  localDefaults,
  newRunId,
  type RunBackupOptions,
} from '../../local/engine/run-backup.ts';
import { execute, loadStateMachine, taskStates } from '../../local/engine/state-machine.ts';
import { initVault } from '../../local/vault/open-vault.ts';
import { type TestDatabase, testDatabase } from '../support/postgres.ts';

// Whole backups, which take ten times as long where others work on all cores.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

export const requestedBy = { user: 'tester', host: 'here' };

export interface Harness extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly deps: Deps;
  readonly vaultDirectory: string;
  readonly keyFile: string;
  /** Options for `runBackup`, with short times. */
  options(more?: Partial<RunBackupOptions>, input?: Partial<BackupRequest>): RunBackupOptions;
  /** The state machine with the handlers in this process; `around` may act before, after or instead of a handler. */
  runHere(
    around?: (state: StateName, input: unknown, call: () => Promise<unknown>) => Promise<unknown>,
    runId?: string,
    options?: BackupRequest['options'],
  ): Promise<unknown>;
  catalogue(): Promise<CatalogueEntry[]>;
  manifest(backupId: string): Promise<Manifest>;
  /** The rows of a table in a backup: decrypted, decompressed COPY text, sorted. */
  rowsOf(manifest: Manifest, table: TableEntry): Promise<string[]>;
  /** Sessions that Holdfast has on the database. */
  sessions(): Promise<string[]>;
}

export async function makeHarness(name: string): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
  const keyFile = join(folder, 'key.json');
  const vaultDirectory = join(folder, 'vault');
  await initVault(vaultDirectory, { keyFile });
  const database = await testDatabase(name);
  const { deps } = await openLocalDeps({ vaultDirectory, keyFile, connection: database.settings });
  const sessions = async () => {
    const rows = await database.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'holdfast/%'`,
    );
    return rows.map((row) => row.name);
  };
  const requestOf = (input: Partial<BackupRequest> = {}): BackupRequest => ({
    source: 'shop',
    requestedBy,
    ...input,
    options: { ...localDefaults, ...input.options },
  });
  return {
    database,
    deps,
    vaultDirectory,
    keyFile,
    sessions,
    options: (more = {}, input = {}) => ({
      ...{ vaultDirectory, keyFile, connection: database.settings, jobs: 2 },
      input: requestOf(input),
      ...more,
    }),
    async runHere(around = (_state, _input, call) => call(), runId = newRunId(), options = {}) {
      const definition = await loadStateMachine(
        new URL('../../statemachines/backup.asl.json', import.meta.url),
      );
      return execute(definition, {
        name: runId,
        input: backupInputSchema.parse(requestOf({ options: { jobs: 2, ...options } })),
        // The last retrier of DumpUnit waits for a lock, for as long as the watch needs to decide on it.
        retryMilliseconds: {
          ...Object.fromEntries([...taskStates(definition).keys()].map((state) => [state, 10])),
          DumpUnit: [10, 10, 10, -1],
        },
        call: (state, input) => around(state, input, () => handlers[state](deps)(input)),
      });
    },
    catalogue: () => collect(listCatalogue(deps.vault)),
    manifest: async (backupId) => (await loadManifest(deps, 'shop', backupId)).manifest,
    async rowsOf(manifest, table) {
      const parts = table.segments.map(async ({ object, offset, storedBytes }) => {
        const { key, versionId } = manifest.objects[object] as Manifest['objects'][number];
        const range = { offset, length: storedBytes };
        const stored = await deps.vault.openReader(key, { versionId, range });
        const context = {
          vault: deps.vaultId,
          source: 'shop',
          backup: manifest.backupId,
          object: key,
        };
        return text(stored.pipe(deps.keyRing.decryptSegment(context)).pipe(createZstdDecompress()));
      });
      const lines = (await Promise.all(parts)).join('').split('\n').slice(0, -1);
      return lines.sort();
    },
    async [Symbol.asyncDispose]() {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Nothing of a failed run is left that counts or that blocks: no entry, no sessions, a free lease, an outcome. */
export async function expectNothingLeft(
  harness: Harness,
  runId: string,
  error: string,
): Promise<void> {
  expect(await harness.catalogue()).toEqual([]);
  await expectNoSessions(harness);
  const read = async (key: string) => {
    const entry = await harness.deps.workspace.get(key);
    return entry && (JSON.parse(Buffer.from(entry.body).toString()) as Record<string, unknown>);
  };
  expect(await read(`runs/${runId}/outcome.json`)).toMatchObject({ state: 'failed', error, runId });
  const lease = await read('leases/shop.json');
  if (lease?.runId === runId) expect(lease.isReleased).toBe(true);
}

/** The server takes a moment to see that a client has said goodbye. */
export async function expectNoSessions(harness: Harness): Promise<void> {
  await expect.poll(harness.sessions, { timeout: 30_000, interval: 50 }).toEqual([]);
}

/** Resolves when a statement waits for a lock in its database. */
export async function waitsForLock({ database }: Harness): Promise<void> {
  const waiting = () =>
    database.query(
      `SELECT FROM pg_locks WHERE NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  await expect.poll(waiting, { timeout: 30_000, interval: 20 }).not.toEqual([]);
}

/** All of an async iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** About 8 MB in `accounts` (several units at 1 MiB), and odd neighbours. */
export async function fillShop(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE SCHEMA "odd ""one";
    CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, note text);
    INSERT INTO accounts SELECT i, 1000, repeat(md5(i::text), 10) FROM generate_series(1, 20000) i;
    CREATE TABLE empty (a int, b text);
    CREATE TABLE "odd ""one"."emoji 🐘
table" (v text);
    INSERT INTO "odd ""one"."emoji 🐘
table" VALUES ('tab	and\\ backslash'), (NULL), (E'new\\nline');
    CREATE SEQUENCE counter;
    SELECT setval('counter', 4711);
    SELECT lo_from_bytea(0, decode(repeat('ab', 5000), 'hex'));
  `);
}
