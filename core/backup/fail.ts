/**
 * The state Fail: ends the holders, gives the lease free, records the outcome: `published` when the catalogue has the
 * backup already, because then it counts whatever came after.
 *
 * Invariant: it never throws; each step is tried whatever became of the others, and what did not work is told in the
 * message of the run's own error.
 */
import { type Outcome, outcomeSchema } from '../contract/catalogue.ts';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import { unknownSource } from '../contract/metrics.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { Run } from '../contract/plan.ts';
import { hasCatalogueEntry } from '../evidence/catalogue.ts';
import { plural } from '../report/format.ts';
import { firstFailure } from '../run/abort-mark.ts';
import { askedSource } from '../run/asked-source.ts';
import { type CleanedAfter, makeAttempts, withTroubles } from '../run/attempt.ts';
import { causeOf, type Failure, failureFromCaught } from '../run/failure.ts';
import { releaseLease } from '../run/lease.ts';
import { releaseLeasesOf } from '../run/named-lease.ts';
import { findRun } from '../run/run-record.ts';
import { endHolders } from '../snapshot/end-holders.ts';
import { getJson, putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';

export async function failRun(
  deps: Deps,
  { runId, error, request }: InputOf<'Fail'>,
): Promise<OutputOf<'Fail'>> {
  const { failure, troubles } = await cleanUpRun(deps, runId, failureFromCaught(error), request);
  return { error: failure.error, cause: causeOf(withTroubles(failure, troubles)) };
}

/**
 * The work of the state, as CleanUp does it too.
 * @param told how the run ended, unless its abort mark knows of an earlier error
 * @param request input of its execution, where that is known
 */
export async function cleanUpRun(
  deps: Deps,
  runId: string,
  told: Failure,
  request?: unknown,
): Promise<CleanedAfter> {
  const { attempt, troubles, passing, noteCleaned, cleaned } = makeAttempts();
  const marked = await attempt('The abort mark could not be read', () => firstFailure(deps, runId));
  const failure = marked ?? told;
  const run = await attempt('The run could not be read', () => findRun(deps, runId));
  if (run !== undefined) {
    const { ended, problem, cause } = await endHolders(deps, runId, 'all');
    if (ended > 0) noteCleaned(`${plural(ended, 'session')} on ${run.input.source} ended`);
    if (problem !== undefined) troubles.push(problem);
    if (isHoldfastError(cause) && cause.retryable) passing.push(cause);
  }
  await attempt('The lease could not be given free and runs out by itself', async () => {
    const released =
      run === undefined
        ? (await releaseLeasesOf(deps, workspaceKeys.leases, runId)) > 0
        : await releaseLease(deps, run.input.source, runId);
    if (released) noteCleaned(`lease on ${run?.input.source ?? 'its source'} given free`);
  });
  const isPublished =
    run !== undefined &&
    ((await attempt('The catalogue could not be read', () =>
      hasCatalogueEntry(deps.vault, run.input.source, run.backupId),
    )) ??
      false);
  if (isPublished) {
    troubles.push(
      `Backup ${run.backupId} is complete, verified and listed; only what came after failed.`,
    );
  }
  await attempt('The outcome could not be recorded', () =>
    recordOutcome(deps, { runId, run, request }, failure, { isPublished, cleaned }),
  );
  return { failure, troubles, passing, cleaned };
}

interface Ended {
  readonly runId: string;
  /** Undefined before Plan has written it down: only the request knows its source then. */
  readonly run: Run | undefined;
  readonly request: unknown;
}

async function recordOutcome(
  deps: Deps,
  { runId, run, request }: Ended,
  failure: Failure,
  { isPublished, cleaned }: { readonly isPublished: boolean; readonly cleaned: string[] },
): Promise<void> {
  const key = workspaceKeys.outcome(runId);
  const earlier = await getJson(deps.workspace, outcomeSchema, key);
  if (earlier !== undefined) return;
  const source = run?.input.source ?? (await askedSource(deps, request));
  if (!isPublished) deps.metric?.('BackupFailed', 1, { source: source ?? unknownSource });
  const outcome: Outcome = {
    runId,
    backupId: run?.backupId ?? null,
    source: source ?? null,
    state: isPublished ? 'published' : 'failed',
    startedAt: run?.startedAt ?? null,
    finishedAt: deps.now().toISOString(),
    error: failure.error,
    message: failure.message,
    hint: failure.hint,
    cleaned,
  };
  await putJson(deps.workspace, key, outcome);
}
