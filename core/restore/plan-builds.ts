/**
 * The state PlanBuilds: what is built after the rows, in waves, and which tables are compared together.
 *
 * Invariant: the fact `builds` is written when every record is, and counts from then on: a second attempt returns it.
 */
import type { z } from 'zod';
import { planComparisons } from '../compare/plan-comparisons.ts';
import type { Deps } from '../contract/deps.ts';
import type { Manifest } from '../contract/manifest.ts';
import { type InputOf, type OutputOf, payloads } from '../contract/payloads.ts';
import type { RestoreRun } from '../contract/restore.ts';
import { inParallel } from '../in-parallel.ts';
import { putJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { Wave } from './builds/draft.ts';
import { coresOf } from './builds/parallel-workers.ts';
import { planWaves } from './builds/plan-waves.ts';
import { readTargetFacts } from './builds/target-facts.ts';
import { withKnownTablespaces } from './create/tablespaces.ts';
import { readDeferredChecks } from './deferred-checks.ts';
import { entriesOf, manifestOf } from './definitions.ts';
import { duringRestore } from './during-restore.ts';
import { readFact, writeFact } from './restore-run.ts';
import { openTarget } from './target-session.ts';

const fact = 'builds';
const planSchema: z.ZodType<OutputOf<'PlanBuilds'>> = payloads.PlanBuilds.output;

/** Small files: enough at once to hide the time of an fsync or of a request. */
const writesAtOnce = 16;

/** @throws what reading the backup and the catalogs throws */
export function planBuilds(
  deps: Deps,
  { runId }: InputOf<'PlanBuilds'>,
): Promise<OutputOf<'PlanBuilds'>> {
  return duringRestore(deps, runId, 'build', async (run) => {
    const earlier = await readFact(deps.workspace, runId, fact, planSchema);
    if (earlier !== undefined) return earlier;
    const manifest = await manifestOf(deps, run);
    const waves = await numbered(deps, run, await wavesOf(deps, run, manifest));
    const comparisons = planComparisons(manifest, run);
    await inParallel(comparisons, writesAtOnce, (one) =>
      putJson(deps.workspace, workspaceKeys.restorePart(runId, 'comparisons', one.unit), one),
    );
    const plan = { waves, comparisons: comparisons.map(({ unit }) => unit) };
    return writeFact(deps.workspace, runId, fact, planSchema, plan);
  });
}

async function wavesOf(deps: Deps, run: RestoreRun, manifest: Manifest): Promise<readonly Wave[]> {
  // Into a database that exists the rows come at the cutover only, and with them what the new tables need.
  if (run.input.mode === 'into') return [];
  const plain = await entriesOf(deps, run, 'post-data');
  await using session = await openTarget(deps, run, 'plan-builds');
  const entries = await withKnownTablespaces(session, plain);
  return planWaves({
    entries,
    facts: await readTargetFacts(session, run),
    tables: manifest.tables,
    checks: await readDeferredChecks(deps, run),
    switchedOff: manifest.inventory.switchedOff ?? [],
    databaseSettings: manifest.inventory.database.settings,
    options: run.input.options,
    cores: coresOf(session.settings),
  });
}

/** Writes the records. */
async function numbered(
  { workspace }: Deps,
  { runId }: RestoreRun,
  waves: readonly Wave[],
): Promise<number[][]> {
  const builds = waves.flat().map((draft, build) => ({ build, ...draft }));
  await inParallel(builds, writesAtOnce, (one) =>
    putJson(workspace, workspaceKeys.restorePart(runId, 'builds', one.build), one),
  );
  let next = 0;
  return waves.map((wave) => wave.map(() => next++));
}
