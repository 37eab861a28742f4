/**
 * What the databases of a restore are called: while it is worked on, in the end, and the one that is put aside.
 *
 * Invariant: no name that is made here is longer than the server keeps (63 bytes; it would cut it silently), and the
 * part that tells it from others is never what is cut.
 */
import { createHash } from 'node:crypto';
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreInput } from '../../contract/restore.ts';

export interface DatabaseNames {
  /** Under the final name clients would find it before it is whole; so it has that one only when nobody gave a name. */
  readonly workDatabase: string;
  readonly finalDatabase: string;
  /** Only of a swap. */
  readonly previousDatabase: string | null;
}

/** NAMEDATALEN - 1. */
export const maxNameBytes = 63;

/** `shop-20261121T042100Z-k3x9qa` → `k3x9qa`; of an id in another form its last letters and digits. */
const shortIdOf = (id: string): string =>
  id
    .toLowerCase()
    .replace(/^.*-(?=[a-z0-9]{6,8}$)/, '')
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(-8);

/** `base` cut between characters so that the whole fits. */
export function nameWithSuffix(base: string, suffix: string): string {
  let kept = '';
  for (const character of base) {
    if (Buffer.byteLength(kept + character + suffix) > maxNameBytes) break;
    kept += character;
  }
  return kept + suffix;
}

/** Of a name that must be cut, its hash tells it from others that begin alike and are restored at the same time. */
function working(name: string, suffix: string): string {
  if (Buffer.byteLength(name + suffix) <= maxNameBytes) return name + suffix;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return nameWithSuffix(name, `_${hash}${suffix}`);
}

/** @param runId of this restore: two swaps to the same backup leave two databases aside */
export function databaseNamesOf(
  input: Pick<RestoreInput, 'mode' | 'database'>,
  manifest: Pick<Manifest, 'backupId' | 'inventory'>,
  runId: string,
): DatabaseNames {
  const source = manifest.inventory.database.name;
  const suffix = `_restore_${shortIdOf(manifest.backupId)}`;
  const finalDatabase = input.database ?? source;
  switch (input.mode) {
    case 'new': {
      const name = nameWithSuffix(source, suffix);
      return input.database === undefined
        ? { workDatabase: name, finalDatabase: name, previousDatabase: null }
        : { workDatabase: working(finalDatabase, suffix), finalDatabase, previousDatabase: null };
    }
    case 'swap':
      return {
        // Not by the backup: a look at it in a database of its own may stand under that name.
        workDatabase: working(finalDatabase, `_restore_${shortIdOf(runId)}`),
        finalDatabase,
        previousDatabase: nameWithSuffix(finalDatabase, `_before_${shortIdOf(runId)}`),
      };
    case 'into':
      return { workDatabase: finalDatabase, finalDatabase, previousDatabase: null };
  }
}
