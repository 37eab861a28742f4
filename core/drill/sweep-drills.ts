/**
 * Scratch databases of drills that were killed, or that could not drop theirs: nobody comes back to them, so the next drill
 * drops them.
 *
 * Invariant: only of drills without an outcome, or that have written down that it is left; on this server, whose restore is
 * held by nobody any more; and never an obstacle to the drill that sweeps.
 */
import type { Deps } from '../contract/deps.ts';
import { isCleared, noteLeft, unclearedFact } from '../restore/fail/uncleared.ts';
import { findRestoreRun } from '../restore/restore-run.ts';
import { targetLeaseOf } from '../restore/target-lease.ts';
import { isHeld, readNamedLease } from '../run/named-lease.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { readDrill, scratchRunId } from './drill-record.ts';
import { dropScratch } from './drop-scratch.ts';

/** @param target name of the connection that this drill restores to */
export async function sweepDrills(deps: Deps, ownRunId: string, target: string): Promise<void> {
  for (const runId of await drillsToSweep(deps)) {
    if (runId === ownRunId) continue;
    // What cannot be dropped now can be by the next drill, or by a person, who was told its name when it began.
    await sweep(deps, runId, target).catch(() => undefined);
  }
}

async function drillsToSweep({ workspace }: Pick<Deps, 'workspace'>): Promise<string[]> {
  const drills: string[] = [];
  const ended = new Set<string>();
  const leaving: string[] = [];
  for await (const key of workspace.list(workspaceKeys.restores)) {
    const runId = key.split('/')[1] ?? '';
    if (key === workspaceKeys.restoreFact(runId, 'drill')) drills.push(runId);
    if (key === workspaceKeys.restoreOutcome(runId)) ended.add(runId);
    if (key === workspaceKeys.restoreFact(runId, swept)) ended.add(runId);
    if (key === workspaceKeys.restoreFact(runId, unclearedFact)) leaving.push(runId);
  }
  const found = drills.filter((runId) => !ended.has(runId));
  for (const runId of leaving.filter((one) => ended.has(one))) {
    if (!(await isCleared({ workspace }, runId))) found.push(runId);
  }
  return found;
}

const swept = 'swept';

async function sweep(deps: Deps, runId: string, target: string): Promise<void> {
  const drill = await readDrill(deps, runId);
  const run = await findRestoreRun(deps.workspace, scratchRunId(runId));
  if (drill === undefined || run === undefined || drill.request.keepScratch) return;
  const { host, port } = await deps.connectionOf(target);
  if (run.server.host !== host || run.server.port !== port) return;
  const found = await readNamedLease(deps, targetLeaseOf(run));
  if (found !== undefined && isHeld(found.lease, deps.now())) return;
  await dropScratch(deps, { ...run, input: { ...run.input, target } });
  await noteLeft(deps, runId, []);
  const mark = new TextEncoder().encode(`${JSON.stringify({ at: deps.now().toISOString() })}\n`);
  await deps.workspace.put(workspaceKeys.restoreFact(runId, swept), mark);
}
