/**
 * The state PlanRestore: which backup, can it work, is the target ours, and what is loaded in which units. Nothing of
 * the target is touched.
 *
 * Invariant: `run.json` is written last, when the units and the request for the safety backup lie beside it. Safe to
 * call again; a restore that was killed goes on under its own run id.
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { backupInputSchema } from '../contract/plan.ts';
import type { LoadUnit, RestoreInput, RestoreRun } from '../contract/restore.ts';
import { releaseNamedLease, renewNamedLease } from '../run/named-lease.ts';
import { requireRunId } from '../run/run-id.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { throwIfRestoreAborted } from './abort-mark.ts';
import { type ChosenBackup, chooseBackup } from './choose-backup.ts';
import { noteGoingOn } from './executions.ts';
import { chooseTables } from './into/choose-tables.ts';
import { planLoads } from './load/plan-loads.ts';
import { recordRestoreSpan } from './phases.ts';
import { requirePassed } from './preflight/require-passed.ts';
import { runPreflight } from './preflight.ts';
import { withPromises } from './promised-objectives.ts';
import { findRestoreRun, writeFact } from './restore-run.ts';
import { findUnfinished } from './resume.ts';
import { needsSafetyBackup, readSafety, safetyRequestOf } from './safety-request.ts';
import { isCheckedSince } from './stood-still.ts';
import { goOnWith, takeTarget } from './take-target.ts';
import { releaseTargetLease } from './target-lease.ts';

type Output = OutputOf<'PlanRestore'>;

/** Where the restore goes and what it is of, as far as it is known before preflight. */
type Target = Pick<RestoreRun, 'input' | 'backup'> & {
  readonly server: { readonly host: string; readonly port: number };
};

/**
 * @throws UsageError; what `chooseBackup` throws; LeaseHeldError; PreflightFailedError with all items as evidence, once
 * they are recorded
 */
export async function planRestore(
  deps: Deps,
  { runId, request }: InputOf<'PlanRestore'>,
): Promise<Output> {
  requireRunId('restore', runId);
  const from = deps.now();
  const earlier = await findRestoreRun(deps.workspace, runId);
  if (earlier !== undefined) return outputOf(deps, earlier, request);
  refuseWrongUse(request);
  const { host, port } = await deps.connectionOf(request.target);
  const begun = await findUnfinished(deps, request, { host, port });
  const resumed = begun && (await goOnWith(deps, runId, request, begun));
  if (resumed !== undefined) return goOn(deps, runId, resumed, request);
  const chosen = await chooseBackup(deps, request.choice);
  const { name: source } = chosen.manifest.source;
  const objectives = await withPromises(deps, source, request.objectives);
  const target = targetOf({ host, port }, { ...request, objectives }, chosen);
  if (request.dryRun) {
    const run = await makeRun(deps, { runId, from, target, chosen, fence: 0 });
    return outputOf(deps, run, request);
  }
  const taken = await takeTarget(deps, runId, request, target);
  if (taken.resumed !== undefined) return goOn(deps, runId, taken.resumed, request);
  const { name, lease } = taken;
  const { leaseSeconds } = request.options;
  const renewal = setInterval(
    () => void renewNamedLease(deps, name, lease, leaseSeconds).catch(() => undefined),
    (leaseSeconds * 1000) / 8,
  );
  try {
    const run = await makeRun(deps, { runId, from, target, chosen, fence: lease.fence });
    await throwIfRestoreAborted(deps.workspace, runId);
    return await outputOf(deps, run, request);
  } catch (error) {
    // Without a record nobody would give it free; nor would one who has cleaned up already.
    const run = await findRestoreRun(deps.workspace, runId).catch(() => undefined);
    if (run === undefined || isHoldfastError(error, 'RunAbortedError'))
      await releaseNamedLease(deps, name, runId).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/** Under its own run id, whatever this execution is called. */
async function goOn(
  deps: Deps,
  execution: string,
  run: RestoreRun,
  request: RestoreInput,
): Promise<Output> {
  await noteGoingOn(deps, execution, run.runId);
  try {
    await throwIfRestoreAborted(deps.workspace, execution);
  } catch (error) {
    // The restore itself is not aborted: the next execution goes on with it.
    await releaseTargetLease(deps, run).catch(() => undefined);
    throw error;
  }
  return outputOf(deps, run, request);
}

function refuseWrongUse({ mode, database, selection }: RestoreInput): void {
  if (mode === 'into') {
    if (database !== undefined) return;
    throw new HoldfastError('UsageError', 'Mode into needs the database to write into.', {
      hint: 'Name it with --name DATABASE.',
    });
  }
  const { schemas, tables, allowOrphans, ...others } = selection;
  const given = schemas.length + tables.length + Object.keys(others).length > 0 || allowOrphans;
  if (!given) return;
  throw new HoldfastError(
    'UsageError',
    `Mode ${mode} restores a whole database; tables, schemas and rows can be chosen in mode into only.`,
    { hint: 'Use --mode into --name DATABASE, or leave the choice out.' },
  );
}

function targetOf(
  server: Target['server'],
  input: RestoreInput,
  { manifest, sha256 }: ChosenBackup,
): Target {
  return {
    input,
    server,
    backup: {
      source: manifest.source.name,
      backupId: manifest.backupId,
      manifestSha256: sha256,
      database: manifest.inventory.database.name,
      snapshotAt: manifest.snapshot.instant,
      serverVersionNum: manifest.source.serverVersionNum,
    },
  };
}

interface Making {
  readonly runId: string;
  readonly from: Date;
  readonly target: Target;
  readonly chosen: ChosenBackup;
  readonly fence: number;
}

async function makeRun(deps: Deps, making: Making): Promise<RestoreRun> {
  const { runId, from, target, chosen, fence } = making;
  const { input } = target;
  const { items, server, ...found } = await runPreflight(deps, input, chosen, runId);
  const isHopeless = items.some(({ verdict }) => verdict === 'failed');
  const units = isHopeless ? [] : unitsOf(input, chosen);
  const run: RestoreRun = {
    ...{ runId, input, startedAt: from.toISOString(), backup: target.backup },
    server: { ...server, ...target.server },
    ...{ workDatabase: found.workDatabase, finalDatabase: found.finalDatabase },
    previousDatabase: found.previousDatabase,
    preflight: items,
    estimate: found.estimate,
    units: units.length,
    fence,
  };
  if (!isHopeless && !input.dryRun) {
    for (const unit of units) {
      await putJson(deps.workspace, workspaceKeys.restorePart(runId, 'loads', unit.unit), unit);
    }
    if (needsSafetyBackup(input)) {
      const safety = await safetyRequestOf(deps, run);
      await writeFact(deps.workspace, runId, 'safety-request', backupInputSchema, safety);
    }
  }
  await putJson(deps.workspace, workspaceKeys.restore(runId), run);
  await recordRestoreSpan(deps, runId, 'preflight', { from, to: deps.now() });
  return run;
}

function unitsOf({ mode, selection, options }: RestoreInput, { manifest }: ChosenBackup) {
  const isInto = mode === 'into';
  const tables = isInto
    ? chooseTables(manifest, selection)
    : manifest.tables.map((_, index) => index);
  return planLoads(manifest, tables, options.unitBytes, !isInto) satisfies LoadUnit[];
}

/** Also of a run that is gone on with: what is done already is left out, and its tasks come as this request says. */
async function outputOf(deps: Deps, run: RestoreRun, request: RestoreInput): Promise<Output> {
  const { runId, input, backup, preflight } = run;
  if (!input.dryRun) requirePassed(preflight);
  const isReady = await isCheckedSince(deps, runId);
  const safety = await readSafety(deps.workspace, runId);
  const isSafe = isReady || safety?.noted !== undefined;
  if (!input.dryRun && !isReady) {
    deps.progress({ state: 'LoadUnit', expectedBytes: await expectedBytes(deps, run) });
  }
  return {
    runId,
    backupId: backup.backupId,
    mode: input.mode,
    jobs: request.options.jobs,
    isDryRun: input.dryRun,
    isReady,
    safety: isSafe ? null : (safety?.request ?? null),
    units: Array.from({ length: run.units }, (_, unit) => unit),
  };
}

/** Plain bytes that are still to be loaded, by the share of units that are. */
async function expectedBytes(deps: Deps, { runId, units, estimate }: RestoreRun): Promise<number> {
  let loaded = 0;
  const done = workspaceKeys.restoreParts(runId, 'loaded');
  for await (const _ of deps.workspace.list(done)) loaded += 1;
  return Math.round(estimate.rawBytes * (1 - Math.min(1, loaded / Math.max(1, units))));
}
