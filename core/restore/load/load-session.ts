/**
 * The session of a load unit: alone at its work, with the search path that functions of the database were written for.
 *
 * Invariant: COMMIT does not wait for the disk, so whoever tells anybody that the unit is done calls `makeDurable` first;
 * rows and their marks are in one transaction and live or die together.
 */
import type { Deps } from '../../contract/deps.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { endPredecessors } from '../../postgres/end-predecessors.ts';
import type { Session } from '../../postgres/session.ts';
import { literal } from '../../schema/sql-text.ts';
import { once } from '../progress.ts';
import { openTarget } from '../target-session.ts';

/** As a database has it that says nothing else. */
const defaultSearchPath = '"$user", public';

export async function openLoadSession(
  deps: Pick<Deps, 'connectionOf'>,
  run: RestoreRun,
  { inventory }: Pick<Manifest, 'inventory'>,
  unit: number,
): Promise<Session> {
  const what = `load-${unit}`;
  const session = await openTarget(deps, run, what);
  try {
    await endPredecessors(session, applicationNameOf(run.runId, what));
    await session.query(
      `SET synchronous_commit = off; ${searchPathSql(run, inventory.database.settings)}`,
    );
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Generated columns, domains and CHECKs call functions that may name their tables without a schema. */
function searchPathSql({ input }: Pick<RestoreRun, 'input'>, settings: readonly string[]): string {
  // A database that exists has its own; a new one gets the source's only at the end.
  if (input.mode === 'into') return 'RESET search_path';
  const prefix = 'search_path=';
  const setting = settings.find((one) => one.startsWith(prefix));
  const path = setting?.slice(prefix.length) ?? defaultSearchPath;
  return `SELECT pg_catalog.set_config('search_path', ${literal(path)}, false)`;
}

/** A commit that waits for the disk takes those before it along. */
export async function makeDurable(session: Session, run: RestoreRun, unit: number): Promise<void> {
  await session.query('SET synchronous_commit = on');
  await once(session, run, `loaded:${unit}`, async () => 0);
}
