/** One backup, with progress and Ctrl-C: what `backup` does for each database. */
import type { BackupReport } from '../core/contract/catalogue.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import type { Filters } from '../core/contract/filters.ts';
import type { Tier } from '../core/contract/manifest.ts';
import { listCatalogue } from '../core/evidence/catalogue.ts';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
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

/** `shop_eu` and `shop-eu` have one slug: "latest" must not mean now this one and now that. */
async function assertSameDatabase(store: OpenStore, target: Target): Promise<void> {
  for await (const entry of listCatalogue(store.vault, { source: target.source })) {
    if (entry.database === target.connection.database) return;
    throw new HoldfastError(
      'UsageError',
      `Source ${target.source} of this vault is database ${JSON.stringify(entry.database)}, not ${JSON.stringify(target.connection.database)}.`,
      { hint: 'Give this database a name of its own with --source NAME.' },
    );
  }
}
