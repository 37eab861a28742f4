/**
 * Which execution works on a restore: the one of its own name, or a later one that went on with it. Whoever cleans up
 * after an execution finds its restore by this, and leaves alone one that another has taken over.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { readFact } from './restore-run.ts';

type ExecutionDeps = Pick<Deps, 'workspace'>;

const name = z.string();
const executionFact = 'execution';
const goesOnFact = 'goes-on-with';

/** By PlanRestore, when it has taken the lease of an unfinished restore over. */
export async function noteGoingOn(
  { workspace }: ExecutionDeps,
  execution: string,
  runId: string,
): Promise<void> {
  await putJson(workspace, workspaceKeys.restoreFact(runId, executionFact), execution);
  await putJson(workspace, workspaceKeys.restoreFact(execution, goesOnFact), runId);
}

/** @returns the restore that the execution worked on, and the execution that has it now */
export async function restoreOfExecution(
  { workspace }: ExecutionDeps,
  execution: string,
): Promise<{ readonly runId: string; readonly execution: string }> {
  const runId = (await readFact(workspace, execution, goesOnFact, name)) ?? execution;
  return { runId, execution: (await readFact(workspace, runId, executionFact, name)) ?? runId };
}
