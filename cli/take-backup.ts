/** One backup, with progress and Ctrl-C: what `backup` does for each database. */
import type { BackupReport } from '../core/contract/catalogue.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import type { Filters } from '../core/contract/filters.ts';
import type { Tier } from '../core/contract/manifest.ts';
import { listCatalogue } from '../core/evidence/catalogue.ts';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { loadManifest } from '../core/verify/open-backup.ts';
import { runBackup } from '../local/engine/run-backup.ts';
import { onInterrupt } from './interrupt.ts';
import type { OpenStore } from './open.ts';
import { type DatabaseOptions, type FilterOptions, jobsOf, type VaultOptions } from './options.ts';
import { openProgress } from './output/progress.ts';
import { who } from './who.ts';

export interface BackupOptions extends VaultOptions, DatabaseOptions, FilterOptions {
  readonly source?: string;
  readonly label?: Record<string, string>;
  readonly tier: Tier;
  readonly jobs?: number;
  readonly allDatabases?: boolean;
  readonly onBlockedDdl: 'fail' | 'cancel-waiter';
  readonly detach?: boolean;
}

/** What is the same for all databases of one command. */
export interface Taking {
  readonly store: OpenStore;
  readonly options: BackupOptions;
  readonly filters: Filters;
  readonly labels: Record<string, string>;
}

export interface Target {
  readonly connection: ConnectionSettings;
  readonly source: string;
  /** By --source, so that a person answers for it. */
  readonly isSourceNamed: boolean;
  readonly setId?: string;
}

export async function takeBackup(taking: Taking, target: Target): Promise<BackupReport> {
  const { store, options, filters, labels } = taking;
  if (!target.isSourceNamed) await assertSameDatabase(store, target);
  const progress = openProgress();
  using interruption = onInterrupt((text) => progress.note(text));
  try {
    return await runBackup({
      vaultDirectory: store.root,
      keyFile: store.keyFile,
      connection: target.connection,
      input: {
        source: target.source,
        tier: options.tier,
        labels,
        filters,
        options: { onBlockedDdl: options.onBlockedDdl },
        ...(target.setId === undefined ? {} : { setId: target.setId }),
        requestedBy: who(),
      },
      jobs: jobsOf(options),
      signal: interruption.signal,
      onProgress: progress.onProgress,
    });
  } finally {
    progress.end();
  }
}

/**
 * `shop_eu` and `shop-eu` have one slug, and two servers may each have an `app`: "latest" must not mean now this one and
 * now that.
 */
async function assertSameDatabase(store: OpenStore, target: Target): Promise<void> {
  const { connection, source } = target;
  const found = listCatalogue(store.vault, { source, onDamaged: () => undefined });
  for await (const { backupId } of found) {
    const deps = { ...store, vaultId: store.marker.vaultId };
    const known = (await loadManifest(deps, source, backupId)).manifest;
    const name = (server: { host: string; port: number }, database: string) =>
      `${JSON.stringify(database)} on ${server.host}:${server.port}`;
    const theirs = name(known.source, known.inventory.database.name);
    const ours = name(connection, connection.database);
    if (theirs === ours) return;
    throw new HoldfastError(
      'UsageError',
      `Source ${source} of this vault is database ${theirs}, not ${ours}.`,
      {
        hint: `Is it the same database under another address, say so with --source ${source}; else give it a name of its own with --source NAME.`,
      },
    );
  }
}
