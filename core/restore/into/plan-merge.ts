/**
 * What a restore into an existing database has to do, as the target and the backup are now: which tables are made, which
 * are written into, which copies are put beside.
 */
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import type { Session } from '../../postgres/session.ts';
import { entriesOf } from '../definitions.ts';
import { type CopyBeside, planBeside } from './beside.ts';
import { type Placing, placeTables, shown } from './placing.ts';
import { readPresence } from './presence.ts';
import {
  type BackupDefinitions,
  type SelectedDefinitions,
  selectDefinitions,
} from './select-definitions.ts';

export interface MergePlan {
  readonly placings: readonly Placing[];
  /** By index of the manifest: made by this restore. */
  readonly isNew: ReadonlySet<number>;
  readonly definitions: SelectedDefinitions;
  readonly copies: readonly CopyBeside[];
}

const nothing: SelectedDefinitions = {
  before: [],
  after: [],
  attach: [],
  foreignKeys: [],
  tables: [],
  sequences: [],
  missingViews: [],
  publications: [],
};

/** @throws UsageError */
export async function planMerge(
  deps: Deps,
  run: Pick<RestoreRun, 'backup' | 'input'>,
  manifest: Manifest,
  session: Session,
): Promise<MergePlan> {
  const placings = placeTables(manifest, run.input.selection);
  const has = await readPresence(session);
  const isThere = ({ target }: Placing) => has.relation(target);
  const taken = placings.find((placing) => placing.isBeside && isThere(placing));
  if (taken !== undefined) {
    throw new HoldfastError(
      'UsageError',
      `There is a table ${shown(taken.target)} already: the copy needs a name that is free.`,
    );
  }
  const undecided = placings.find(isThere);
  if (undecided !== undefined && run.input.selection.onConflict === undefined) {
    throw new HoldfastError(
      'UsageError',
      `${shown(undecided.target)} exists: it has to be said what becomes of rows whose key is there already.`,
      { hint: 'Add --on-conflict error, skip or replace; or --as TABLE to look at them first.' },
    );
  }
  const isNew = new Set(placings.filter((placing) => !isThere(placing)).map(({ index }) => index));
  if (isNew.size === 0) return { placings, isNew, definitions: nothing, copies: [] };
  const backup: BackupDefinitions = {
    pre: await entriesOf(deps, run, 'pre-data'),
    post: await entriesOf(deps, run, 'post-data'),
  };
  const missing = placings.filter(({ isBeside, index }) => !isBeside && isNew.has(index));
  return {
    placings,
    isNew,
    definitions:
      missing.length === 0
        ? nothing
        : selectDefinitions(
            backup,
            missing.map(({ target }) => target),
            has,
          ),
    copies: placings
      .filter(({ isBeside }) => isBeside)
      .map((placing) => planBeside(backup, placing, has)),
  };
}
