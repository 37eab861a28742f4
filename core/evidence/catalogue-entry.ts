/** The small summary of a published backup, by which it is listed. */
import type { CatalogueEntry } from '../contract/catalogue.ts';
import type { Manifest, Tier } from '../contract/manifest.ts';

/**
 * The same at each call: a repeated Publish writes the same bytes.
 * @param tier under which it is kept, when that is another than was asked for
 */
export function catalogueEntryOf(manifest: Manifest, tier: Tier = manifest.tier): CatalogueEntry {
  const { backupId, scope, setId, labels, totals } = manifest;
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
