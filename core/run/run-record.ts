/** `run.json`: what every state of a run starts from. Written once by Plan. */
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { type Run, runSchema } from '../contract/plan.ts';
import { readRun } from '../snapshot/marks.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

type RunDeps = Pick<Deps, 'workspace'>;

export function findRun(deps: RunDeps, runId: string): Promise<Run | undefined> {
  return getJson(deps.workspace, runSchema, workspaceKeys.run(runId));
}

/** @returns the record that counts: this one, or that of an earlier attempt of Plan */
export async function writeRun(deps: RunDeps, run: Run): Promise<Run> {
  try {
    await putJson(deps.workspace, workspaceKeys.run(run.runId), run, { ifNoneMatch: '*' });
    return run;
  } catch (error) {
    if (!isHoldfastError(error, 'PreconditionFailedError')) throw error;
    return readRun(deps.workspace, run.runId);
  }
}
