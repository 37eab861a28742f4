/**
 * The state FailRestore: the target becomes as it was, the lease is given free, a report tells what happened.
 *
 * Invariants: it never throws; each step is tried whatever became of the others, and what did not work is told in the
 * evidence of the run's own error. Only what this run made is dropped, and nothing once the cutover has happened: the
 * restore has succeeded then, whatever it ended by. It comes when all retries are used up; a restore that was killed never
 * comes here and is gone on with.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { unknownSource } from '../contract/metrics.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { recordRestoreOutcome } from '../report/outcome.ts';
import { writeRestoreReport } from '../report/write-report.ts';
import { askedSource } from '../run/asked-source.ts';
import { type Attempts, type CleanedAfter, makeAttempts, withTroubles } from '../run/attempt.ts';
import { causeOf, type Failure, failureFromCaught } from '../run/failure.ts';
import { releaseLeasesOf } from '../run/named-lease.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { firstRestoreFailure } from './abort-mark.ts';
import { concludeDone, cutoverOf, wayBackOf } from './conclude.ts';
import { clearPatiently } from './fail/uncleared.ts';
import { findRestoreRun } from './restore-run.ts';
import { releaseTargetLease } from './target-lease.ts';

export async function failRestore(
  deps: Deps,
  { runId, error, request }: InputOf<'FailRestore'>,
): Promise<OutputOf<'FailRestore'>> {
  const { failure, troubles } = await takeBackRestore(
    deps,
    runId,
    failureFromCaught(error),
    request,
  );
  return { error: failure.error, cause: causeOf(withTroubles(failure, troubles)) };
}

/**
 * The work of the state, as CleanUp does it too.
 * @param told how the run ended, unless its abort mark knows of an earlier error
 * @param request input of its execution, where that is known
 */
export async function takeBackRestore(
  deps: Deps,
  runId: string,
  told: Failure,
  request?: unknown,
): Promise<CleanedAfter> {
  const attempts = makeAttempts();
  const { attempt, troubles, passing, noteCleaned, cleaned } = attempts;
  const marked = await attempt('The abort mark could not be read', () =>
    firstRestoreFailure(deps.workspace, runId),
  );
  const failure = marked ?? told;
  const run = await attempt('The run could not be read', () =>
    findRestoreRun(deps.workspace, runId),
  );
  if (run !== undefined) await clearPatiently(deps, run, attempts);
  const done = run && (await attempt('The cutover could not be read', () => cutoverOf(deps, run)));
  if (run !== undefined && done !== undefined) {
    await attempt('The report could not be written', () => concludeDone(deps, run));
  } else if (run !== undefined) await report(deps, run, failure, attempts);
  // Before PlanRestore has written the run down only the request knows what it wants.
  else if (!asksForDryRun(request)) {
    const source = (await askedSource(deps, request)) ?? unknownSource;
    deps.metric?.('RestoreFailed', 1, { source });
  }
  // There already when the report was written; of a cutover that was done the next one who comes writes both.
  if (done === undefined)
    await attempt('The outcome could not be recorded', () => recordOutcome(deps, runId, failure));
  // Last: whoever gets it next finds the target as it was, and an outcome.
  await attempt('The lease could not be given free and runs out by itself', async () => {
    const released =
      run === undefined
        ? (await releaseLeasesOf(deps, workspaceKeys.restoreLeases, runId)) > 0
        : await releaseTargetLease(deps, run);
    if (released) noteCleaned('lease on the target given free');
  });
  const hint = run && done ? wayBackOf(run, done) : failure.hint;
  return { failure: { ...failure, hint }, troubles, passing, cleaned };
}

/** It tells its error to whoever asked, and nothing was to be restored. */
const asksForDryRun = (request: unknown): boolean =>
  z.looseObject({ dryRun: z.literal(true) }).safeParse(request).success;

async function report(
  deps: Deps,
  run: RestoreRun,
  failure: Failure,
  { attempt, troubles, cleaned }: Attempts,
): Promise<void> {
  const error = withTroubles(failure, troubles);
  await attempt('The report could not be written', () =>
    writeRestoreReport(deps, run, { state: 'failed', error, cleaned }),
  );
  if (!run.input.dryRun) deps.metric?.('RestoreFailed', 1, { source: run.backup.source });
}

async function recordOutcome(deps: Deps, runId: string, failure: Failure): Promise<void> {
  await recordRestoreOutcome(deps, {
    runId,
    state: 'failed',
    finishedAt: deps.now().toISOString(),
    error: { name: failure.error, message: failure.message, hint: failure.hint },
  });
}
