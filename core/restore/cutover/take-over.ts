/**
 * Whole databases: the restored one gets the backup's settings and rights, then its final name.
 *
 * Invariant: the fact `cutover-begun` has the oids of both databases before the first of these steps, so that it can
 * always be told from the server which of them are done.
 */
import { compareDatabaseAfterCutover } from '../../compare/database-after-cutover.ts';
import type { Deps } from '../../contract/deps.ts';
import { HoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { endPredecessors } from '../../postgres/end-predecessors.ts';
import type { Session } from '../../postgres/session.ts';
import { globalsOf } from '../definitions.ts';
import { bookkeepingOwner, dropBookkeeping } from '../progress.ts';
import { readFact, writeFact } from '../restore-run.ts';
import { openTarget } from '../target-session.ts';
import {
  type CutoverBegun,
  type CutoverDone,
  cutoverBegunSchema,
  databaseNamed,
  databaseWithOid,
  openBeside,
} from './database-facts.ts';
import { exchange, rename } from './exchange.ts';
import { applyDatabaseSettings } from './settings.ts';
import { systemIdentifierOf } from './system-identifier.ts';

const what = 'cutover';

/** @throws TargetInUseError, TargetExistsError */
export async function takeOver(
  deps: Deps,
  run: RestoreRun,
  manifest: Manifest,
): Promise<CutoverDone> {
  const names = [run.workDatabase, run.finalDatabase, run.previousDatabase];
  await using session = await openBeside(deps, run, what, names);
  await endPredecessors(session, applicationNameOf(run.runId, what));
  const { work, previous } = await begin(deps, run, session);
  const now = await databaseWithOid(session, work.oid);
  if (now === undefined) {
    throw new HoldfastError(
      'InternalError',
      `Database ${JSON.stringify(work.name)}, which was restored, is gone.`,
      { hint: 'Somebody dropped or renamed it: run the restore again.' },
    );
  }
  const isRenamed = now.name === run.finalDatabase && work.name !== run.finalDatabase;
  if (!isRenamed) {
    await finishDatabase(deps, run, manifest);
    if (previous !== null && run.previousDatabase !== null) {
      const { disconnect } = run.input;
      const leaving = { database: previous, newName: run.previousDatabase };
      await exchange(session, { runId: run.runId, leaving, entering: work, disconnect });
    } else if (work.name !== run.finalDatabase) {
      await rename(session, run.runId, work, run.finalDatabase);
    }
  }
  return {
    database: run.finalDatabase,
    previousDatabase: previous === null ? null : run.previousDatabase,
  };
}

async function begin(deps: Deps, run: RestoreRun, session: Session): Promise<CutoverBegun> {
  const { workspace } = deps;
  const earlier = await readFact(workspace, run.runId, 'cutover-begun', cutoverBegunSchema);
  if (earlier !== undefined) return earlier;
  const work = await databaseNamed(session, run.workDatabase);
  if (work === undefined || !(await isOurs(deps, run))) {
    throw new HoldfastError(
      'InternalError',
      `Database ${JSON.stringify(run.workDatabase)} is not the one that ${run.runId} restored.`,
    );
  }
  const previous =
    run.input.mode === 'swap' ? ((await databaseNamed(session, run.finalDatabase)) ?? null) : null;
  const systemIdentifier = await systemIdentifierOf(session);
  const begun = { work, previous, systemIdentifier };
  return writeFact(workspace, run.runId, 'cutover-begun', cutoverBegunSchema, begun);
}

async function isOurs(deps: Deps, run: RestoreRun): Promise<boolean> {
  await using session = await openTarget(deps, run, what);
  return (await bookkeepingOwner(session, run)) === run.runId;
}

async function finishDatabase(deps: Deps, run: RestoreRun, manifest: Manifest): Promise<void> {
  await using session = await openTarget(deps, run, what);
  // First: with the settings others are let in.
  await dropBookkeeping(session, run);
  await applyDatabaseSettings(deps, run, await globalsOf(deps, manifest), session);
  await compareDatabaseAfterCutover(deps, run, manifest, session);
}
