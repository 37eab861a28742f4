/**
 * Materialized views: what each held when the backup was made, and what it holds since the restore refreshed it.
 *
 * Invariant: a view that held something else is named and is no difference of the restore: REFRESH computes it from rows
 * that were compared by themselves. One that nobody could look at is named too, as a warning.
 */
import type { MaterializedView, Warning } from '../contract/manifest.ts';
import type { Difference } from '../contract/restore.ts';
import { displayName } from './table-name.ts';

export interface StaleViews {
  readonly differences: readonly Difference[];
  readonly warnings: readonly Warning[];
}

const words = ({ rows, fingerprint }: MaterializedView) =>
  `${rows} rows, fingerprint ${fingerprint}`;

const reasons: Readonly<Record<NonNullable<MaterializedView['notRead']>, string>> = {
  size: 'it is large',
  time: 'the time was over, or it was being refreshed',
  rights: 'the role may not read it',
  failed: 'the server refused to read it',
};

/** A view that is missing on the target is a missing definition. */
export function compareViews(
  source: readonly MaterializedView[],
  target: readonly MaterializedView[],
): StaleViews {
  const others = new Map(target.map((view) => [displayName(view), view]));
  const differences: Difference[] = [];
  const warnings: Warning[] = [];
  for (const view of source) {
    const object = displayName(view);
    const other = others.get(object);
    if (other === undefined) continue;
    const why = view.notRead ?? other.notRead;
    if (why !== undefined) {
      const where = view.notRead === undefined ? 'on the target' : 'when the backup was made';
      warnings.push(notCompared(object, `${where}: ${reasons[why]}`));
    } else if (view.rows !== other.rows || view.fingerprint !== other.fingerprint) {
      differences.push({
        ...{ kind: 'stale-view', object, isExpected: true },
        left: `${words(view)}: was stale at the source; the restore refreshed it`,
        right: words(other),
      });
      warnings.push(stale(object));
    }
  }
  return { differences, warnings };
}

const stale = (object: string): Warning => ({
  code: 'stale-view',
  message: `Materialized view ${object} was stale at the source; the restore refreshed it.`,
  hint:
    'It holds what its query gives over the restored rows. A query that gives something else each time (now(), ' +
    'random()) is named here as well.',
});

const notCompared = (object: string, why: string): Warning => ({
  code: 'view-not-compared',
  message: `Whether materialized view ${object} was stale at the source is not known; it was not read ${why}.`,
  hint: 'The restore refreshed it, so it holds what its query gives over the restored rows.',
});
