/** Everything about a database that its manifest tells besides tables, read under the snapshot. */
import type { Inventory } from '../contract/manifest.ts';
import type { Session } from '../postgres/session.ts';
import { readCensus } from './census.ts';
import { readCollations } from './collations.ts';
import { readDatabase } from './database.ts';
import { readExtensions } from './extensions.ts';
import { readRoles } from './roles.ts';
import { readSwitchedOff } from './switched-off.ts';

/** Sequences are not among it: they are read after the snapshot, by `readSequenceValues`. */
export async function readCatalogs(session: Session): Promise<Omit<Inventory, 'sequences'>> {
  return {
    database: await readDatabase(session),
    extensions: await readExtensions(session),
    collations: await readCollations(session),
    roles: await readRoles(session),
    switchedOff: await readSwitchedOff(session),
    census: await readCensus(session),
  };
}
