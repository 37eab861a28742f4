/**
 * AbortDump: a branch of the run failed. The mark tells the other branch and all workers to end by themselves, and our
 * locks are given back at once: a schema change may be waiting for them.
 *
 * Invariant: the first error of a run is its error; a later one does not replace it.
 */
import type { Deps } from '../contract/deps.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { firstFailure, markAborted } from '../run/abort-mark.ts';
import { causeOf, failureFromCaught } from '../run/failure.ts';
import { endHolders } from './end-holders.ts';

/** @throws VaultIoError, VaultFullError, VaultAccessDeniedError when the mark could not be written */
export async function abortDump(
  deps: Deps,
  { runId, error }: InputOf<'AbortDump'>,
): Promise<OutputOf<'AbortDump'>> {
  const failure = failureFromCaught(error);
  await markAborted(deps, runId, failure);
  await endHolders(deps, runId, 'all');
  const first = (await firstFailure(deps, runId)) ?? failure;
  return { error: first.error, cause: causeOf(first) };
}
