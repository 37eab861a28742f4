/**
 * The state CreateTarget: the database to restore into, with everything that must be there before the rows.
 *
 * Invariant: safe to run twice, and after a stop at any point: what is done is marked in the database itself.
 */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { endPredecessors } from '../postgres/end-predecessors.ts';
import { makeAttempts } from '../run/attempt.ts';
import { firstRestoreFailure, throwIfRestoreAborted } from './abort-mark.ts';
import { withExtensionVersions } from './create/extension-versions.ts';
import { createMissingRoles } from './create/roles.ts';
import { runBatches } from './create/run-batches.ts';
import { withKnownTablespaces } from './create/tablespaces.ts';
import { takeOffChecks } from './create/take-off-checks.ts';
import { createWorkDatabase } from './create/work-database.ts';
import { globalsOf, manifestOf, sectionOf } from './definitions.ts';
import { duringRestore } from './during-restore.ts';
import { clearPatiently } from './fail/uncleared.ts';
import { prepareInto } from './into/prepare.ts';
import { createBookkeeping } from './progress.ts';
import { openMaintenance, openTarget } from './target-session.ts';

const what = 'create';

/**
 * @throws TargetExistsError, RestoreStatementError, TargetFullError, ConnectionLostError …
 */
export function createTarget(
  deps: Deps,
  { runId }: InputOf<'CreateTarget'>,
): Promise<OutputOf<'CreateTarget'>> {
  return duringRestore(deps, runId, 'create', async (run, signal) => {
    try {
      return await (run.input.mode === 'into'
        ? prepareExisting(deps, run)
        : createNew(deps, run, signal));
    } finally {
      await clearIfAborted(deps, run);
    }
  });
}

/** Whoever has taken the run back meanwhile may have come before there was anything to take away. */
async function clearIfAborted(deps: Deps, run: RestoreRun): Promise<void> {
  if ((await firstRestoreFailure(deps.workspace, run.runId)) === undefined) return;
  await clearPatiently(deps, run, makeAttempts());
  await throwIfRestoreAborted(deps.workspace, run.runId);
}

async function prepareExisting(deps: Deps, run: RestoreRun): Promise<OutputOf<'CreateTarget'>> {
  {
    await using session = await openTarget(deps, run, what);
    await endPredecessors(session, applicationNameOf(run.runId, what));
    await createBookkeeping(session, run);
  }
  return prepareInto(deps, run);
}

async function createNew(
  deps: Deps,
  run: RestoreRun,
  signal: AbortSignal,
): Promise<OutputOf<'CreateTarget'>> {
  const manifest = await manifestOf(deps, run);
  const { inventory } = manifest;
  const { roles } = run.input.roles.createMissing ? await globalsOf(deps, manifest) : inventory;
  {
    await using maintenance = await openMaintenance(deps, run, what);
    await endPredecessors(maintenance, applicationNameOf(run.runId, what));
    await createMissingRoles(deps, run, roles, maintenance);
    await createWorkDatabase(deps, run, inventory.database, maintenance);
  }
  await using session = await openTarget(deps, run, what);
  const { preamble, entries: plain } = await sectionOf(deps, run, 'pre-data');
  const versioned = await withExtensionVersions(session, plain, inventory.extensions);
  const entries = await withKnownTablespaces(session, versioned);
  await runBatches(session, run, { preamble, entries }, (done) => {
    signal.throwIfAborted();
    deps.progress({ state: 'CreateTarget', message: `${done} of ${entries.length} definitions` });
  });
  await takeOffChecks(deps, run, session);
  return {
    statements: entries.reduce((sum, { statements }) => sum + statements.length, 0),
    tables: entries.filter(({ type }) => type === 'TABLE').length,
  };
}
