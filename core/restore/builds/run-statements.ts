/**
 * Small definitions, in one transaction with their mark in the bookkeeping; and ANALYZE, which may be run again.
 *
 * What this role or server cannot have (a publication of all tables, an event trigger, a subscription, the state of an
 * internal trigger) is a warning of the restore and not its end.
 */
import { z } from 'zod';
import type { Deps } from '../../contract/deps.ts';
import { isHoldfastError } from '../../contract/errors.ts';
import { type Warning, warningSchema } from '../../contract/manifest.ts';
import type { Build, RestoreRun } from '../../contract/restore.ts';
import { applicationNameOf } from '../../postgres/application-name.ts';
import { endPredecessors } from '../../postgres/end-predecessors.ts';
import type { Session } from '../../postgres/session.ts';
import { messageOf, type Said } from '../../postgres/without-rows.ts';
import { isDone, once } from '../progress.ts';
import { writeFact } from '../restore-run.ts';
import { openTarget } from '../target-session.ts';
import { textsOf } from './build-texts.ts';
import { splitLabel } from './labels.ts';
import { prepareMemory } from './memory.ts';
import { resolveReferences } from './references.ts';
import {
  optionalCommand,
  type Refused,
  refusalOf,
  refusedWarning,
  writeRefused,
} from './refused.ts';
import type { BuildProgress } from './run-detached.ts';
import { buildError, serverMessage } from './statement-error.ts';

const done: BuildProgress = { isDone: true, share: 1 };

export async function runStatements(
  deps: Deps,
  run: RestoreRun,
  build: Build,
): Promise<BuildProgress> {
  const what = `build-${build.build}`;
  await using session = await openTarget(deps, run, what);
  if (await isDone(session, run, `build:${build.build}`)) return done;
  await endPredecessors(session, applicationNameOf(run.runId, what));
  const statements = await resolveReferences(build.statements, textsOf(deps, run));
  await prepareMemory(session, run);
  const warnings: Warning[] = [];
  const refused: Refused[] = [];
  const listen = (notice: Said) => {
    if (notice.severity === 'WARNING' && notice.message !== undefined)
      warnings.push(serverWarning(build.label, messageOf(notice)));
  };
  session.client.on('notice', listen);
  await once(session, run, `build:${build.build}`, async () => {
    for (const statement of statements) {
      const refusal = await runOne(session, build, statement);
      if (refusal === undefined) continue;
      refused.push(refusal.refused);
      if (!refusal.refused.isConsequence) {
        warnings.push(refusedWarning(refusal.refused, refusal.sql));
      }
    }
    // Before the commit: a restore that dies in between says it twice rather than not at all.
    await writeRefused(deps.workspace, run, build, refused);
    await writeWarnings(deps, run, build, warnings);
    return statements.length;
  });
  return done;
}

/** @returns what the target refused and the restore can do without */
async function runOne(
  session: Session,
  build: Build,
  statement: string,
): Promise<{ refused: Refused; sql: string } | undefined> {
  const { label = build.label, sql } = splitLabel(statement);
  const command = optionalCommand(sql);
  if (command !== undefined) await session.query('SAVEPOINT optional');
  try {
    await session.query(statement);
    if (command !== undefined) await session.query('RELEASE SAVEPOINT optional');
    return undefined;
  } catch (error) {
    const refused = command === undefined ? undefined : refusalOf(error, label, command);
    if (refused === undefined) throw buildError(error, label);
    await session.query('ROLLBACK TO SAVEPOINT optional');
    return { refused, sql };
  }
}

const serverWarning = (label: string, message: string): Warning => ({
  code: 'server-warning',
  message: `${label}: ${message}`,
  hint: 'The target server said this while it was restored.',
});

async function writeWarnings(
  { workspace }: Deps,
  { runId }: RestoreRun,
  { build }: Build,
  warnings: readonly Warning[],
): Promise<void> {
  if (warnings.length === 0) return;
  await writeFact(workspace, runId, `warnings-build-${build}`, z.array(warningSchema), [
    ...warnings,
  ]);
}

/** Not in a transaction: so each table is let go when it is done. */
export async function runAnalyze(
  deps: Deps,
  run: RestoreRun,
  build: Build,
): Promise<BuildProgress> {
  const item = `build:${build.build}`;
  await using session = await openTarget(deps, run, `build-${build.build}`);
  if (await isDone(session, run, item)) return done;
  await endPredecessors(session, applicationNameOf(run.runId, `build-${build.build}`));
  await prepareMemory(session, run);
  const warnings: Warning[] = [];
  for (const statement of build.statements) {
    try {
      await session.query(statement);
    } catch (error) {
      const failure = buildError(error, build.label);
      if (!isHoldfastError(failure, 'RestoreStatementError')) throw failure;
      warnings.push(noStatistics(statement, error));
    }
  }
  await writeWarnings(deps, run, build, warnings);
  await once(session, run, item, async () => 0);
  return done;
}

/** Rows are none the worse for it: a foreign partition whose server cannot be reached from here is enough. */
const noStatistics = (statement: string, error: unknown): Warning => ({
  code: 'no-statistics',
  message: `${statement} failed: ${serverMessage(error)}`,
  hint: 'The table has no statistics of its own. Run it again when the cause is gone, for good plans.',
});
