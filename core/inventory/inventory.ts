/** Everything about a database that its manifest tells besides tables, read under the snapshot. */
import type { Inventory, Warning } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';
import { readCensus } from './census.ts';
import { collationWarnings, readCollations } from './collations.ts';
import { readDatabase } from './database.ts';
import { readExtensions } from './extensions.ts';
import { readRoles } from './roles.ts';

export interface CatalogFacts {
  /** Sequences are read after the snapshot: `readSequenceValues`. */
  readonly inventory: Omit<Inventory, 'sequences'>;
  readonly warnings: readonly Warning[];
}

export async function readCatalogs(session: Session): Promise<CatalogFacts> {
  const collations = await readCollations(session);
  const inventory = {
    database: await readDatabase(session),
    extensions: await readExtensions(session),
    collations,
    roles: await readRoles(session),
    census: await readCensus(session),
  };
  return { inventory, warnings: collationWarnings(collations) };
}
