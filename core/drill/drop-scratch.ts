/**
 * Drops the scratch database of a drill.
 *
 * Invariant: only the database that the drill's own restore has made, known by its oid, or, before its cutover, by the
 * bookkeeping in it. One of the same name that somebody else has made stays.
 */
import type { Deps } from '../contract/deps.ts';
import type { RestoreRun } from '../contract/restore.ts';
import {
  cutoverBegunSchema,
  databaseWithOid,
  openBeside,
} from '../restore/cutover/database-facts.ts';
import { dropDatabase } from '../restore/drop-database.ts';
import { clearTarget } from '../restore/fail/clear-target.ts';
import { readFact } from '../restore/restore-run.ts';
import type { NoteCleaned } from '../run/attempt.ts';

/** @throws what keeps the server from it; nothing when it is gone already */
export async function dropScratch(
  deps: Deps,
  run: RestoreRun,
  noteCleaned: NoteCleaned = () => undefined,
): Promise<void> {
  const begun = await readFact(deps.workspace, run.runId, 'cutover-begun', cutoverBegunSchema);
  if (begun === undefined) {
    await clearTarget(deps, run, { attempt: (_what, step) => step(), noteCleaned });
    return;
  }
  const names = [run.workDatabase, run.finalDatabase];
  await using session = await openBeside(deps, run, 'drop-scratch', names);
  const database = await databaseWithOid(session, begun.work.oid);
  // Killed in its cutover it has the working name yet.
  if (database === undefined || !names.includes(database.name)) return;
  await dropDatabase(deps, run, session, database.name);
  noteCleaned(`database ${JSON.stringify(database.name)} dropped`);
}
