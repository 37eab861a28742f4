/** After a backup: its sessions, its lease, its outcome. What it put into the vault expires as staged. */
import { cleanUpRun } from '../../backup/fail.ts';
import { outcomeSchema } from '../../contract/catalogue.ts';
import { getJson } from '../../vault/json.ts';
import { workspaceKeys } from '../../vault/keys.ts';
import { markAborted } from '../abort-mark.ts';
import { findRun } from '../run-record.ts';
import { type Cleaning, type Found, passOn } from './cleaning.ts';

/** @throws what keeps the workspace from being read */
export async function cleanUpBackup(cleaning: Cleaning, runId: string): Promise<Found> {
  const { deps, failure, request, attempt, isCertain, isAgain } = cleaning;
  const key = workspaceKeys.outcome(runId);
  const outcome = await getJson(deps.workspace, outcomeSchema, key);
  if (outcome !== undefined && (!isAgain || outcome.state === 'published')) return 'ended';
  if (!isCertain && (await findRun(deps, runId)) === undefined) return 'unknown';
  // First: whoever still works on it takes away itself what it makes from here on.
  await attempt('The abort mark could not be written', () => markAborted(deps, runId, failure));
  passOn(cleaning, await cleanUpRun(deps, runId, failure, request));
  return 'unended';
}
