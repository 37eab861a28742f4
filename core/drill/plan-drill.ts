/**
 * The state PlanDrill: the restore that a drill is. The backup is chosen here and named by its id from then on, so that
 * the drill and its evidence speak of the one that was restored.
 *
 * Invariant: a backup whose manifest cannot be trusted leaves a record too, for ConcludeDrill to say so.
 */
import { createHash } from 'node:crypto';
import type { Deps } from '../contract/deps.ts';
import { isHoldfastError } from '../contract/errors.ts';
import type { InputOf, OutputOf } from '../contract/payloads.ts';
import { type DrillInput, type RestoreInput, restoreInputSchema } from '../contract/restore.ts';
import { entryOf } from '../evidence/catalogue.ts';
import { isDamage } from '../report/damage.ts';
import { chooseBackup, type Place, placeOf } from '../restore/choose-backup.ts';
import { nameWithSuffix } from '../restore/preflight/names.ts';
import { withPromises } from '../restore/promised-objectives.ts';
import { claimDrillTime } from '../run/claim.ts';
import { requireRunId } from '../run/run-id.ts';
import { type DrillRecord, readDrill, writeDrill } from './drill-record.ts';
import { sweepDrills } from './sweep-drills.ts';

/** @throws what `chooseBackup` throws */
export async function planDrill(
  deps: Deps,
  { runId, request }: InputOf<'PlanDrill'>,
): Promise<OutputOf<'PlanDrill'>> {
  requireRunId('drill', runId);
  const earlier = await readDrill(deps, runId);
  if (earlier === undefined && (await isDuplicate(deps, runId, request))) {
    return { runId, isDuplicate: true, restore: null };
  }
  const record = earlier ?? (await writeDrill(deps, await choose(deps, runId, request)));
  await sweepDrills(deps, runId, request.target);
  return { runId, isDuplicate: false, restore: restoreOf(record) };
}

/** Schedulers deliver at least once, and two drills at once on one server measure each other. */
async function isDuplicate(
  deps: Deps,
  runId: string,
  { target, choice, scheduledAt }: DrillInput,
): Promise<boolean> {
  if (scheduledAt === undefined) return false;
  const own = { runId, claimedAt: deps.now().toISOString() };
  const of = { target, source: choice.source ?? 'any' };
  return (await claimDrillTime(deps, of, scheduledAt, own)).runId !== runId;
}

async function choose(deps: Deps, runId: string, request: DrillInput): Promise<DrillRecord> {
  const startedAt = deps.now().toISOString();
  try {
    const { manifest, sha256 } = await chooseBackup(deps, request.choice);
    const database = manifest.inventory.database.name;
    const objectives = await withPromises(deps, manifest.source.name, request.objectives);
    return {
      runId,
      request: { ...request, objectives },
      startedAt,
      backup: {
        source: manifest.source.name,
        backupId: manifest.backupId,
        database,
        snapshotAt: manifest.snapshot.instant,
        manifestSha256: sha256,
      },
      scratch: scratchName(database, runId),
    };
  } catch (error) {
    const place = placeOf(error);
    if (place !== undefined && isHoldfastError(error) && isDamage(error.name)) {
      await recordUntrusted(deps, place, { runId, request, startedAt });
    }
    throw error;
  }
}

/** Which backup it was, says who tried to open it; the unsigned catalogue only what people call it. */
async function recordUntrusted(
  deps: Deps,
  place: Place,
  about: Pick<DrillRecord, 'runId' | 'request' | 'startedAt'>,
): Promise<void> {
  const entry = await entryOf(deps.vault, place);
  const { database, snapshotAt } = entry ?? {
    database: place.source,
    snapshotAt: about.startedAt,
  };
  await writeDrill(deps, {
    ...about,
    backup: { ...place, database, snapshotAt, manifestSha256: null },
    scratch: scratchName(database, about.runId),
  });
}

/** `shop` → `shop_drill_1f0c33a9`. A second drill at the same time has another name. */
const scratchName = (database: string, runId: string): string =>
  nameWithSuffix(
    database,
    `_drill_${createHash('sha256').update(runId).digest('hex').slice(0, 8)}`,
  );

const restoreOf = ({ request, backup, scratch }: DrillRecord): RestoreInput => {
  const { target, roles, checks, objectives, options, requestedBy } = request;
  return restoreInputSchema.parse({
    target,
    choice: { source: backup.source, backup: backup.backupId },
    mode: 'new',
    database: scratch,
    roles,
    checks,
    objectives,
    options,
    requestedBy,
  });
};
