/**
 * Scratch databases of drills that were killed: nobody comes back to them, so the next drill drops them.
 *
 * Invariant: only of drills without an outcome, on this server, whose restore is held by nobody any more; and never an
 * obstacle to the drill that sweeps.
 */
import type { Deps } from '../contract/deps.ts';
import { findRestoreRun } from '../restore/restore-run.ts';
import { targetLeaseOf } from '../restore/target-lease.ts';
import { isHeld, readNamedLease } from '../run/named-lease.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { readDrill, scratchRunId } from './drill-record.ts';
import { dropScratch } from './drop-scratch.ts';

/** @param target name of the connection that this drill restores to */
export async function sweepDrills(deps: Deps, ownRunId: string, target: string): Promise<void> {
  for (const runId of await unfinishedDrills(deps)) {
    if (runId === ownRunId) continue;
    // What cannot be dropped now can be by the next drill, or by a person, who was told its name when it began.
    await sweep(deps, runId, target).catch(() => undefined);
  }
}

async function unfinishedDrills({ workspace }: Pick<Deps, 'workspace'>): Promise<string[]> {
  const drills: string[] = [];
  const ended = new Set<string>();
  for await (const key of workspace.list(workspaceKeys.restores)) {
    const runId = key.split('/')[1] ?? '';
    if (key === workspaceKeys.restoreFact(runId, 'drill')) drills.push(runId);
    if (key === workspaceKeys.restoreOutcome(runId)) ended.add(runId);
    if (key === workspaceKeys.restoreFact(runId, swept)) ended.add(runId);
  }
  return drills.filter((runId) => !ended.has(runId));
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
  const mark = new TextEncoder().encode(`${JSON.stringify({ at: deps.now().toISOString() })}\n`);
  await deps.workspace.put(workspaceKeys.restoreFact(runId, swept), mark);
}
