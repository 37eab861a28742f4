/**
 * A restore that was killed, and is gone on with only after a while: what it had made sure of may not hold any more.
 *
 * Invariant: the database that is replaced is backed up as it is now, and not as it was before the run stood still; the
 * checks, with the hook before the cutover, come again. What stood still is written down before the run is taken over.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { type Warning, warningSchema } from '../contract/manifest.ts';
import { backupInputSchema } from '../contract/plan.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import {
  cutoverBegunSchema,
  cutoverDoneSchema,
  databaseWithOid,
  openBeside,
} from './cutover/database-facts.ts';
import { readRestoreSpans } from './phases.ts';
import { bookkeepingOwner } from './progress.ts';
import { readFact, writeFact } from './restore-run.ts';
import { readCheckResults } from './run-checks.ts';
import { readSafety, takingFact } from './safety-request.ts';
import { openTarget } from './target-session.ts';

/** Whoever starts a killed restore again at once does not wait for a second backup of a large database. */
const longMs = 10 * 60_000;

const fact = 'stood-still';
const stoodSchema = z.strictObject({ until: z.iso.datetime() });

/** @param lostAt when the lease of its last execution was over */
export const stoodLong = (lostAt: Date, now: Date): boolean =>
  now.getTime() - lostAt.getTime() > longMs;

/**
 * - `again`: nothing of the cutover was done: the states before it come again.
 * - `after`: the cutover was done, or is no more than the settings of a new database: only the rest is to do.
 * - `never`: the cutover has begun, and its preparations cannot be made again: the run is to be taken back.
 */
export async function stateOfCutover(
  deps: Deps,
  run: RestoreRun,
): Promise<'again' | 'after' | 'never'> {
  const { runId, input } = run;
  if ((await readFact(deps.workspace, runId, 'cutover', cutoverDoneSchema)) !== undefined) {
    return 'after';
  }
  // It comes after the checks.
  if ((await readCheckResults(deps.workspace, runId)) === undefined) return 'again';
  if (input.mode === 'into') {
    await using session = await openTarget(deps, run, 'plan');
    return (await bookkeepingOwner(session, run)) === runId ? 'again' : 'after';
  }
  const begun = await readFact(deps.workspace, runId, 'cutover-begun', cutoverBegunSchema);
  if (begun === undefined) return 'again';
  if (input.mode === 'new') return 'after';
  const names = [run.workDatabase, run.finalDatabase, run.previousDatabase];
  await using session = await openBeside(deps, run, 'plan', names);
  const now = await databaseWithOid(session, begun.work.oid);
  return now?.name === run.finalDatabase ? 'after' : 'never';
}

/** Asks for another safety backup when one was taken, and for the checks. Safe to call again. */
export async function noteStoodStill(deps: Deps, { runId }: RestoreRun): Promise<void> {
  const { workspace } = deps;
  const until = deps.now().toISOString();
  await putJson(workspace, workspaceKeys.restoreFact(runId, fact), { until });
  // Results stand for one stretch of work: without them the checks run again, and the hook.
  for (const beginning of ['check', 'hook']) {
    const facts = workspaceKeys.restoreFacts(runId, beginning);
    for await (const key of workspace.list(facts)) await workspace.delete(key);
  }
  const safety = await readSafety(workspace, runId);
  if (safety?.noted === undefined) return;
  const { taking, request, noted } = safety;
  const next = taking + 1;
  await writeFact(workspace, runId, takingFact('safety-request', next), backupInputSchema, request);
  const warning: Warning = {
    code: 'stood-still',
    message: `The restore was killed and stood still until ${until}: its safety backup ${noted.backupId} was old by then, and another one was taken.`,
    hint: 'What was written in between is in the newer one only.',
  };
  await writeFact(workspace, runId, `warnings-stood-still-${next}`, z.array(warningSchema), [
    warning,
  ]);
}

/** Have the checks passed since the run stood still last? */
export async function isCheckedSince(deps: Pick<Deps, 'workspace'>, runId: string) {
  const results = await readCheckResults(deps.workspace, runId);
  if (results === undefined || results.some(({ isPassed }) => !isPassed)) return false;
  const stood = await readFact(deps.workspace, runId, fact, stoodSchema);
  if (stood === undefined) return true;
  const checked = (await readRestoreSpans(deps.workspace, runId)).get('checks');
  return checked !== undefined && checked.to >= stood.until;
}
