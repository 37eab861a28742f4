/** The small summary of a published backup, by which it is listed. */
import type { CatalogueEntry } from '../contract/catalogue.ts';
import type { Manifest } from '../contract/manifest.ts';

/** The same at each call: a repeated Publish writes the same bytes. */
export function catalogueEntryOf(manifest: Manifest): CatalogueEntry {
  const { backupId, scope, tier, setId, labels, totals } = manifest;
  return {
    formatVersion: 1,
    backupId,
    source: manifest.source.name,
    database: manifest.inventory.database.name,
    state: 'published',
    scope,
    tier,
    ...(setId === undefined ? {} : { setId }),
    labels,
    serverVersion: manifest.source.serverVersion,
    startedAt: manifest.startedAt,
    snapshotAt: manifest.snapshot.instant,
    finishedAt: manifest.sealedAt,
    tables: totals.tables,
    rows: totals.rows,
    rawBytes: totals.rawBytes,
    storedBytes: totals.storedBytes,
    warnings: manifest.warnings.length,
  };
}
