/** Cleaning up after a run that failed: its sessions are ended, whatever state the run and the server are in. */
import type { Deps } from '../contract/deps.ts';
import { runSchema } from '../contract/plan.ts';
import { applicationNameOf } from '../postgres/application-name.ts';
import { openSession } from '../postgres/session.ts';
import { getJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { endSessions } from './holders.ts';

export interface EndedHolders {
  readonly ended: number;
  /** What could not be done, for people. The holders then leave by themselves (hold-loop.ts). */
  readonly problem?: string;
  readonly cause?: unknown;
}

/**
 * Never throws: the error of the run must not be replaced by one of its cleaning up.
 *
 * @param which `all`: workers too, which hold locks on the tables that they were reading
 */
export async function endHolders(
  deps: Deps,
  runId: string,
  which: 'holders' | 'all' = 'holders',
): Promise<EndedHolders> {
  try {
    const run = await getJson(deps.workspace, runSchema, workspaceKeys.run(runId));
    // Before Plan has written the run down, nothing was held.
    if (run === undefined) return { ended: 0 };
    const settings = await deps.connectionOf(run.input.source);
    // Sessions are ended in one database: a safety backup is of another one than the connection names.
    const own = { ...settings, database: run.server.database };
    await using session = await openSession(own, {
      applicationName: applicationNameOf(runId, 'cleanup'),
      purpose: 'control',
    });
    return { ended: await endSessions(session, runId, which) };
  } catch (error) {
    const problem = `the sessions of run ${runId} could not be ended: ${error instanceof Error ? error.message : String(error)}`;
    deps.progress({ state: 'EndHolders', message: problem });
    return { ended: 0, problem, cause: error };
  }
}
