/** After a backup: its sessions on the source, its lease, its outcome. What it put into the vault expires as staged. */

import { failRun } from '../../backup/fail.ts';
import { outcomeSchema } from '../../contract/catalogue.ts';
import { endHolders } from '../../snapshot/end-holders.ts';
import { getJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import { markAborted } from '../abort-mark.ts';
import { causeOf, failureFromCaught } from '../failure.ts';
import { findRun } from '../run-record.ts';
import type { Cleaning, Found } from './cleaning.ts';

/** @throws what keeps the workspace from being read */
export async function cleanUpBackup(
  { deps, failure, attempt, done }: Cleaning,
  runId: string,
): Promise<Found> {
  const key = workspaceKeys.outcome(runId);
  if ((await getJson(deps.workspace, outcomeSchema, key)) !== undefined) return 'ended';
  const run = await findRun(deps, runId);
  // Plan writes it down before it opens anything; a lease without a record runs out by itself.
  if (run === undefined) return 'unknown';
  await attempt('The abort mark could not be written', () => markAborted(deps, runId, failure));
  const { ended } = await endHolders(deps, runId, 'all');
  if (ended > 0) done(`${ended} sessions on ${run.input.source} ended`);
  const told = await failRun(deps, {
    runId,
    error: { Error: failure.error, Cause: causeOf(failure) },
  });
  done(`lease on ${run.input.source} released, outcome recorded`);
  const { evidence } = failureFromCaught({ Error: told.error, Cause: told.cause });
  await passOn(evidence['troubles'], attempt);
  return 'unended';
}

/** What did not work there did not work here. */
export async function passOn(troubles: unknown, attempt: Cleaning['attempt']): Promise<void> {
  for (const trouble of Array.isArray(troubles) ? troubles : []) {
    const [, what = '', why = ''] = /^(.*?)(?:: (.*))?$/s.exec(String(trouble)) ?? [];
    await attempt(what, () => Promise.reject(new Error(why)));
  }
}
