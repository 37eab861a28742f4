/** What a run must not leave behind, as the server and the workspace have it. */
import { expect } from 'vitest';
import type { Deps } from '../../core/contract/deps.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import { onServer } from '../restore/shared-server.ts';
import { read } from '../run/clean-up-support.ts';

/** Of the run and of its children, whose ids begin with its own. */
export const sessionsOf = async (runId: string): Promise<string[]> =>
  (
    await onServer<{ name: string }>(
      'postgres',
      `SELECT application_name AS name FROM pg_stat_activity WHERE starts_with(application_name, $1)`,
      [`holdfast/${runId}`],
    )
  ).map(({ name }) => name);

async function leasesOf({ workspace }: Pick<Deps, 'workspace'>, runId: string): Promise<string[]> {
  const held: string[] = [];
  for await (const key of workspace.list(workspaceKeys.leases)) {
    const lease = await read({ workspace }, key);
    const isOurs = String(lease?.['runId']).startsWith(runId);
    if (isOurs && lease?.['isReleased'] !== true) held.push(key);
  }
  return held;
}

/** @param deps of the workspace that the run was recorded in */
export async function expectNothingLeft(deps: Deps, runId: string): Promise<void> {
  // The server takes a moment to see that a client has said goodbye.
  await expect.poll(() => sessionsOf(runId), { timeout: 30_000, interval: 20 }).toEqual([]);
  expect(await leasesOf(deps, runId)).toEqual([]);
}
