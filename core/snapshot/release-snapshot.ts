/**
 * ReleaseSnapshot: every unit is in the vault; a last check under the snapshot, then the holders are ended.
 *
 * Invariant: the `dumped` mark is written only after the check, and before any holder is ended (who finds no holder and
 * no mark knows that the snapshot was lost).
 */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { Run } from '../contract/plan.ts';
import { selectTables, takesLargeObjects } from '../plan/select-tables.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession, type Session } from '../postgres/session.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { endSessions } from './holders.ts';
import { importSnapshot } from './import-snapshot.ts';
import { isDumped, readRun, readSnapshot } from './marks.ts';
import { requireSameOutput } from './moved-output.ts';
import { requireUnchanged } from './unchanged-tables.ts';

/**
 * Called again after the mark was written, it only ends what is left.
 *
 * @throws SchemaMovedError, TableChangedError, SnapshotLostError; errors of the session
 */
export async function releaseSnapshot(
  deps: Deps,
  { runId }: InputOf<'ReleaseSnapshot'>,
): Promise<OutputOf<'ReleaseSnapshot'>> {
  const run = await readRun(deps.workspace, runId);
  await using control = await openSession(await deps.connectionOf(run.input.source), {
    applicationName: applicationNameOf(runId, 'release'),
    purpose: 'control',
  });
  if (!(await isDumped(deps.workspace, runId))) {
    await check(deps, run, control);
    await putJson(deps.workspace, workspaceKeys.dumped(runId), { at: deps.now().toISOString() });
  }
  return { ended: await endSessions(control, runId, 'holders') };
}

async function check(deps: Deps, run: Run, control: Session): Promise<void> {
  const record = await readSnapshot(deps.workspace, run.runId);
  await using session = await openSession(control.settings, {
    applicationName: applicationNameOf(run.runId, 'release-check'),
    purpose: 'worker',
  });
  await importSnapshot(session, record);
  const tables = await selectTables(session, run.input.filters);
  const dumped = tables.filter(({ dataExcluded }) => dataExcluded === null);
  await requireSameOutput(session, control, {
    tables: dumped.map(({ oid }) => oid),
    hasLargeObjects: takesLargeObjects(run.input.filters),
  });
  await requireUnchanged(
    session,
    dumped.filter(({ relkind }) => relkind === 'r'),
  );
}
