/**
 * The state FailRestore: the target becomes as it was, the lease is given free, a report tells what happened.
 *
 * Invariants: it never throws; each step is tried whatever became of the others, and what did not work is told in the
 * evidence of the run's own error. Only what this run made is dropped, and nothing once the cutover has happened. It
 * comes when all retries are used up; a restore that was killed never comes here and is gone on with.
 */
import type { Deps } from '../contract/deps.ts';
import { unknownSource } from '../contract/metrics.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { recordRestoreOutcome } from '../report/outcome.ts';
import { writeRestoreReport } from '../report/write-report.ts';
import { type Attempt, makeAttempts, withTroubles } from '../run/attempt.ts';
import { causeOf, type Failure, failureFromCaught } from '../run/failure.ts';
import { firstRestoreFailure } from './abort-mark.ts';
import { clearPatiently } from './fail/uncleared.ts';
import { findRestoreRun } from './restore-run.ts';
import { releaseTargetLease } from './target-lease.ts';

export async function failRestore(
  deps: Deps,
  { runId, error }: InputOf<'FailRestore'>,
): Promise<OutputOf<'FailRestore'>> {
  const { attempt, troubles } = makeAttempts();
  const marked = await attempt('The abort mark could not be read', () =>
    firstRestoreFailure(deps.workspace, runId),
  );
  const failure = marked ?? failureFromCaught(error);
  const run = await attempt('The run could not be read', () =>
    findRestoreRun(deps.workspace, runId),
  );
  if (run !== undefined) await clearPatiently(deps, run, attempt);
  if (run !== undefined) await report(deps, run, withTroubles(failure, troubles), attempt);
  // Before PlanRestore has written the run down only the request knows what it wants.
  else deps.metric?.('RestoreFailed', 1, { source: unknownSource });
  await attempt('The outcome could not be recorded', () => recordOutcome(deps, runId, failure));
  if (run !== undefined) {
    await attempt('The lease could not be given free and runs out by itself', () =>
      releaseTargetLease(deps, run),
    );
  }
  return { error: failure.error, cause: causeOf(withTroubles(failure, troubles)) };
}

async function report(
  deps: Deps,
  run: RestoreRun,
  failure: Failure,
  attempt: Attempt,
): Promise<void> {
  await attempt('The report could not be written', () =>
    writeRestoreReport(deps, run, { state: 'failed', error: failure }),
  );
  if (!run.input.dryRun) deps.metric?.('RestoreFailed', 1, { source: run.backup.source });
}

/** There already when the report was written. */
async function recordOutcome(deps: Deps, runId: string, failure: Failure): Promise<void> {
  await recordRestoreOutcome(deps, {
    runId,
    state: 'failed',
    finishedAt: deps.now().toISOString(),
    error: { name: failure.error, message: failure.message, hint: failure.hint },
  });
}
