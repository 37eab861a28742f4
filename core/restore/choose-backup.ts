/**
 * Which backup a person means by `latest`, an id, a time or labels: the one meaning of these words, for every command.
 *
 * Invariant: what decides (scope, tier, labels, time of the snapshot) is read from the signed manifest. The entries of the
 * catalogue are not read; their keys say only where to look, and in which order.
 */

import type { CatalogueEntry } from '../contract/catalogue.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Choice } from '../contract/restore.ts';
import { type ListedBackup, listedBackups } from '../evidence/catalogue.ts';
import { catalogueEntryOf } from '../evidence/catalogue-entry.ts';
import { loadManifest, type OpenDeps, type OpenedBackup } from '../verify/open-backup.ts';
import { ambiguous, ambiguousSource, nothingFits, nothingNamed } from './choose/errors.ts';
import { unpublished } from './choose/unpublished.ts';

export interface ChosenBackup extends OpenedBackup {
  /** As it would be written from the signed manifest. */
  readonly entry: CatalogueEntry;
}

/** Where a backup is. */
export type Place = Pick<ListedBackup, 'source' | 'backupId'>;

/** The clock that wrote an id may go before that of the server, which says when the snapshot was. */
const clockSkewMs = 3_600_000;

/**
 * @throws BackupNotFoundError naming what is near, or that the backup was never published; UsageError when more than one
 * is meant, or the named one has not the labels or the time that were asked for; as loadManifest, with the backup that
 * could not be opened as evidence (`placeOf`)
 */
export async function chooseBackup(deps: OpenDeps, choice: Choice): Promise<ChosenBackup> {
  const listed = await listedBackups(deps.vault, choice.source);
  const id = choice.meant ?? choice.backup;
  if (id === 'latest') return newest(deps, choice, listed);
  const place = await named(deps, { ...choice, backup: id }, listed);
  const chosen = await open(deps, place);
  const why = mismatch(chosen.manifest, choice);
  if (why === undefined) return chosen;
  throw new HoldfastError('UsageError', `Backup ${place.backupId} ${why}.`, {
    hint: 'Name the backup alone, or leave the id out to take the newest that fits.',
  });
}

/** As `chooseBackup`, for those who judge what cannot be opened themselves. */
export async function placeOfChoice(deps: OpenDeps, choice: Choice): Promise<Place> {
  try {
    const { source, backupId } = (await chooseBackup(deps, choice)).entry;
    return { source, backupId };
  } catch (error) {
    const place = placeOf(error);
    if (place === undefined) throw error;
    return place;
  }
}

/** The backup that `chooseBackup` came to and could not open; undefined when it came to none. */
export function placeOf(error: unknown): Place | undefined {
  if (!isHoldfastError(error)) return undefined;
  const { source, backupId } = error.evidence;
  if (typeof source !== 'string' || typeof backupId !== 'string') return undefined;
  return { source, backupId };
}

async function open(deps: OpenDeps, { source, backupId }: Place): Promise<ChosenBackup> {
  try {
    // A warm function may have seen it in another run: what is chosen is what lies there now.
    const opened = await loadManifest(deps, source, backupId, { isFresh: true });
    return { ...opened, entry: catalogueEntryOf(opened.manifest) };
  } catch (error) {
    if (!isHoldfastError(error) || error.retryable) throw error;
    throw new HoldfastError(error.name, error.message, {
      hint: error.hint,
      evidence: { ...error.evidence, source, backupId },
      cause: error,
    });
  }
}

type Found = { readonly chosen: ChosenBackup } | { readonly error: HoldfastError };

async function newest(
  deps: OpenDeps,
  choice: Choice,
  listed: readonly ListedBackup[],
): Promise<ChosenBackup> {
  const found = new Map<string, Found>();
  const seen = new Map<string, Manifest>();
  for (const source of new Set(listed.map((one) => one.source))) {
    const ofSource = listed.filter((one) => one.source === source);
    const first = await newestOf(deps, choice, ofSource, seen);
    if (first !== undefined) found.set(source, first);
  }
  if (found.size > 1) throw ambiguousSource([...found.keys()]);
  const [only] = found.values();
  if (only === undefined) throw nothingFits(deps.vault.location, choice, listed, seen);
  if ('error' in only) throw only.error;
  return only.chosen;
}

/** One that cannot be opened may be the one that is meant: no older one takes its place. */
async function newestOf(
  deps: OpenDeps,
  choice: Choice,
  listed: readonly ListedBackup[],
  seen: Map<string, Manifest>,
): Promise<Found | undefined> {
  for (const place of listed) {
    if (isAfter(place, choice.at)) continue;
    try {
      const chosen = await open(deps, place);
      assertOrder(place, chosen.manifest);
      seen.set(place.backupId, chosen.manifest);
      if (isMeant(chosen.manifest, choice)) return { chosen };
    } catch (error) {
      if (!isHoldfastError(error) || error.retryable) throw error;
      return { error };
    }
  }
  return undefined;
}

/**
 * By the time in its id, which is where the manifest is and signed with it: a backup that was begun after the time that
 * is asked for need not be opened, nor be whole.
 */
function isAfter({ backupId }: Place, at: string | undefined): boolean {
  const [, ...parts] = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(backupId) ?? [];
  if (at === undefined || parts.length === 0) return false;
  const [year, month, day, hours, minutes, seconds] = parts;
  const begun = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return begun > Date.parse(at) + clockSkewMs;
}

/** Under another time an older backup would be the newest. */
function assertOrder({ listedAt, source, backupId }: ListedBackup, { snapshot }: Manifest): void {
  if (listedAt.getTime() === Date.parse(snapshot.instant)) return;
  const times = `under ${listedAt.toISOString()}; its signed manifest says ${snapshot.instant}`;
  throw new HoldfastError('SignatureInvalidError', `The catalogue lists ${backupId} ${times}.`, {
    hint: 'Somebody changed the catalogue: which backup is the newest cannot be told. Name one by its id; `holdfast verify` reads it back.',
    evidence: { source, backupId },
  });
}

/**
 * A safety backup is of a state that somebody was about to replace: as "latest" it would undo the very restore that it
 * was taken for. It is meant when it is named, or by its labels, or by the time.
 */
function isMeant(manifest: Manifest, choice: Choice): boolean {
  if (manifest.scope !== 'full' || mismatch(manifest, choice) !== undefined) return false;
  const isNarrowed = choice.at !== undefined || Object.keys(choice.labels).length > 0;
  return isNarrowed || manifest.tier !== 'safety';
}

async function named(
  deps: OpenDeps,
  choice: Choice,
  listed: readonly ListedBackup[],
): Promise<Place> {
  const wanted = choice.backup;
  const exact = listed.find(({ backupId }) => backupId === wanted);
  if (exact !== undefined) return exact;
  const matches = listed.filter(({ backupId }) => wanted !== '' && backupId.startsWith(wanted));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  if (matches.length > 1) throw ambiguous(wanted, matches);
  const error = nothingNamed(deps.vault.location, wanted, listed);
  throw (await unpublished(deps, choice, error.hint)) ?? error;
}

/** Why a backup is not what was asked for, to follow its id; `undefined` when it is. */
function mismatch({ labels, snapshot }: Manifest, { at, labels: wanted }: Choice) {
  if (at !== undefined && new Date(snapshot.instant) > new Date(at)) {
    return `has its snapshot at ${snapshot.instant}, after ${at}`;
  }
  const missing = Object.entries(wanted).find(([key, value]) => labels[key] !== value);
  if (missing === undefined) return undefined;
  const [key, value] = missing;
  return `is not labelled ${key}=${value}`;
}
