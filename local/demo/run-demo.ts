/**
 * The demo: a PostgreSQL and a vault of its own in temporary folders, and the whole story told step by step.
 *
 * Invariant: whatever happens, the server is stopped and the folders are removed; it is only "as expected" when the
 * damage was found, and found where it was done.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { BackupReport, VerifyReport } from '../../core/contract/catalogue.ts';
import type { Progress } from '../../core/contract/deps.ts';
import { loadManifest } from '../../core/verify/open-backup.ts';
import { verifyBackup } from '../../core/verify/verify-backup.ts';
import { type EmbeddedServer, startEmbeddedServer } from '../embedded-server.ts';
import { openLocalDeps } from '../engine/local-deps.ts';
import { runBackup } from '../engine/run-backup.ts';
import { initVault } from '../vault/open-vault.ts';
import { withClient } from './client.ts';
import { damageOneByte } from './damage.ts';
import { shopSteps } from './shop-database.ts';
import { type Recovery, tellRecovery } from './tell-recovery.ts';

export interface DemoOptions {
  /** Takes each line of the story. */
  readonly say: (text: string) => void;
  /** Shows the progress of one long step. */
  readonly openProgress: () => { onProgress(event: Progress): void; end(): void };
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly isAsExpected: boolean;
  /** What went otherwise; null when nothing did. */
  readonly unexpected: string | null;
  readonly damaged: { readonly object: string; readonly table: string };
  readonly backup: BackupReport;
  readonly verifiedIntact: VerifyReport;
  readonly recovery: Recovery;
  readonly verifiedDamaged: VerifyReport;
  readonly durationMs: number;
}

const source = 'shop';
const jobs = 2;

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const begin = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
  // A second Ctrl-C ends the process without coming back here.
  const onExit = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', onExit);
  let server: EmbeddedServer | undefined;
  try {
    options.say('1. A PostgreSQL 18 of its own, on 127.0.0.1 only');
    server = await startEmbeddedServer({ settings: ['max_wal_size=2GB', 'shared_buffers=128MB'] });
    await fillShop(server, options);
    const result = await tellStory(server, folder, options);
    return { ...result, durationMs: Math.round(performance.now() - begin) };
  } finally {
    await server?.stop();
    process.removeListener('exit', onExit);
    onExit();
  }
}

async function fillShop(server: EmbeddedServer, { say, signal }: DemoOptions): Promise<void> {
  say('\n2. A shop, made by SQL:');
  await withClient(server.url(), (client) => client.query('CREATE DATABASE shop'));
  await withClient(server.url('shop'), async (client) => {
    for (const { title, sql } of shopSteps) {
      signal.throwIfAborted();
      say(`   - ${title}`);
      await client.query(sql);
    }
    const size = `SELECT pg_size_pretty(pg_database_size('shop')) AS size`;
    const { rows } = await client.query<{ size: string }>(size);
    say(`   The database is ${rows[0]?.size} now.`);
  });
}

async function tellStory(
  server: EmbeddedServer,
  folder: string,
  options: DemoOptions,
): Promise<Omit<DemoResult, 'durationMs'>> {
  const { say, signal } = options;
  const vaultDirectory = join(folder, 'vault');
  const keyFile = join(folder, 'key.json');

  say(
    `\n3. A vault, and the key that opens it\n   $ holdfast init --vault ${vaultDirectory} --key ${keyFile}`,
  );
  await initVault(vaultDirectory, { keyFile });
  signal.throwIfAborted();

  say(
    '\n4. A backup: one snapshot, compressed, encrypted, read back\n   $ holdfast backup --database postgresql://…/shop',
  );
  const backup = await withProgress(options, (onProgress) =>
    runBackup({
      vaultDirectory,
      keyFile,
      connection: server.settings('shop'),
      jobs,
      signal,
      onProgress,
      input: { source, requestedBy: by() },
    }),
  );
  say(
    `   ${backup.backupId}\n   ${backup.tables} tables, ${backup.rows} rows, ` +
      `${megabytes(backup.rawBytes)} stored as ${megabytes(backup.storedBytes)} in ${seconds(backup.durationMs)}`,
  );

  const verify = () =>
    withProgress(options, async (progress) => {
      signal.throwIfAborted();
      const { deps } = await openLocalDeps({
        vaultDirectory,
        keyFile,
        connection: server.settings('shop'),
        onProgress: progress,
      });
      return verifyBackup(deps, {
        source,
        backupId: backup.backupId,
        depth: 'full',
        concurrency: jobs,
        by: by(),
      });
    });

  say('\n5. Is it whole? Every row is read back from the vault\n   $ holdfast verify latest');
  const verifiedIntact = await verify();
  say(
    `   ${verifiedIntact.verdict}: ${verifiedIntact.rows} rows in ${verifiedIntact.objects} objects`,
  );

  signal.throwIfAborted();
  const recovery = await tellRecovery({
    ...{ say, signal, server, vaultDirectory, keyFile, jobs },
    backupId: backup.backupId,
    by: by(),
    withProgress: (work) => withProgress(options, work),
  });

  const { deps } = await openLocalDeps({
    vaultDirectory,
    keyFile,
    connection: server.settings('shop'),
  });
  const { manifest } = await loadManifest(deps, source, backup.backupId);
  const damaged = await damageOneByte(vaultDirectory, manifest);
  say(
    `\n9. Now one byte of one object is changed, as a bad disk would (byte ${damaged.offset})\n   ${damaged.object}`,
  );

  say('\n10. Is it still whole?\n   $ holdfast verify latest');
  const verifiedDamaged = await verify();
  for (const { object, table, kind, detail } of verifiedDamaged.problems) {
    say(`   DAMAGED  ${object}\n   table    ${table}\n   what     ${kind}: ${detail}`);
  }
  const unexpected =
    recovery.unexpected ?? whatIsWrong(backup, verifiedIntact, verifiedDamaged, damaged);
  if (unexpected === null) {
    say(
      `\nOne byte of the whole backup was wrong, and it was found: which object, which table.\nThe server is stopped and all files of this demo are removed, but for the report:\n   ${recovery.page}`,
    );
  }
  return {
    isAsExpected: unexpected === null,
    unexpected,
    damaged,
    backup,
    verifiedIntact,
    recovery,
    verifiedDamaged,
  };
}

function whatIsWrong(
  backup: BackupReport,
  intact: VerifyReport,
  damaged: VerifyReport,
  done: { readonly object: string; readonly table: string },
): string | null {
  if (backup.state !== 'published') return `the backup is ${backup.state}`;
  if (intact.verdict !== 'intact') return 'the fresh backup was found damaged';
  if (intact.rows < backup.rows) return `only ${intact.rows} of ${backup.rows} rows were read back`;
  if (damaged.verdict !== 'damaged') return 'the changed byte was not found';
  const isNamed = damaged.problems.every(
    ({ object, table }) => object === done.object && table === done.table,
  );
  return isNamed ? null : 'the damage was found in another place than it was done';
}

async function withProgress<T>(
  { openProgress }: DemoOptions,
  work: (onProgress: (event: Progress) => void) => Promise<T>,
): Promise<T> {
  const progress = openProgress();
  try {
    return await work((event) => progress.onProgress(event));
  } finally {
    progress.end();
  }
}

const by = () => ({ user: userInfo().username, host: hostname() });
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
