/**
 * Which backup a person means by `latest`, an id, a time or labels.
 *
 * Invariant: what decides (scope, labels, time of the snapshot) is read from the signed manifest. The entries of the
 * catalogue are unsigned and say only where to look, and in which order.
 */

import type { CatalogueEntry } from '../contract/catalogue.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Choice } from '../contract/restore.ts';
import { findBackup, listCatalogue } from '../evidence/catalogue.ts';
import { catalogueEntryOf } from '../evidence/catalogue-entry.ts';
import { vaultKeys } from '../vault/keys.ts';
import { loadManifest, type OpenDeps, type OpenedBackup } from '../verify/open-backup.ts';

export interface ChosenBackup extends OpenedBackup {
  /** As it would be written from the signed manifest. */
  readonly entry: CatalogueEntry;
}

/** What the key of a catalogue entry tells, and the entry where it can be read. */
interface Candidate {
  readonly source: string;
  readonly backupId: string;
  readonly entry?: CatalogueEntry;
}

/**
 * @throws BackupNotFoundError naming what is near, or that the backup was never published; UsageError when more than one
 * is meant, or the named one has not the labels or the time that were asked for; as loadManifest
 */
export async function chooseBackup(deps: OpenDeps, choice: Choice): Promise<ChosenBackup> {
  const candidates = await candidatesOf(deps, choice.source);
  if (choice.backup === 'latest') return newest(deps, choice, candidates);
  const { source, backupId } = await named(deps, choice, candidates);
  const chosen = await open(deps, source, backupId);
  const why = mismatch(chosen.manifest, choice);
  if (why === undefined) return chosen;
  throw new HoldfastError('UsageError', `Backup ${backupId} ${why}.`, {
    hint: 'Name the backup alone, or leave the id out to take the newest that fits.',
  });
}

async function open(deps: OpenDeps, source: string, backupId: string): Promise<ChosenBackup> {
  const opened = await loadManifest(deps, source, backupId);
  return { ...opened, entry: catalogueEntryOf(opened.manifest) };
}

/** Newest first. An entry that cannot be read hides nothing: its key says which backup it is of. */
async function candidatesOf(deps: OpenDeps, source: string | undefined): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  const onDamaged = (key: string) => {
    const [, of, backupId] = /^catalog\/([^/]+)\/\d{14}-(.+)\.json$/.exec(key) ?? [];
    if (of !== undefined && backupId !== undefined) candidates.push({ source: of, backupId });
  };
  const query = { onDamaged, ...(source === undefined ? {} : { source }) };
  for await (const entry of listCatalogue(deps.vault, query)) {
    candidates.push({ source: entry.source, backupId: entry.backupId, entry });
  }
  return candidates;
}

async function newest(
  deps: OpenDeps,
  choice: Choice,
  candidates: readonly Candidate[],
): Promise<ChosenBackup> {
  const fitting = candidates.filter(
    ({ entry }) => entry === undefined || mismatch(asManifest(entry), choice) === undefined,
  );
  // That of a database which was replaced once is in the vault, too, and is not what is meant.
  const isOther = ({ entry }: Candidate) => entry?.tier === 'safety' && !isNarrowed(choice);
  const meant = fitting.filter((candidate) => !isOther(candidate));
  const sources = [...new Set(meant.map(({ source }) => source))];
  if (sources.length > 1) {
    throw new HoldfastError(
      'UsageError',
      `"latest" of which source? This vault has ${some(sources)}.`,
      { hint: 'Name one with --source NAME, or the id of the backup.' },
    );
  }
  for (const { source, backupId, entry } of fitting) {
    if (!sources.includes(source)) continue;
    const chosen = await open(deps, source, backupId).catch((error: unknown) => {
      // A partial backup was never wanted; of a full one it must be said that the newest cannot be trusted.
      if (entry?.scope === 'partial') return undefined;
      throw error;
    });
    if (chosen !== undefined && isMeant(chosen.manifest, choice)) return chosen;
  }
  throw nothingFits(deps, choice, candidates);
}

/**
 * A safety backup is of a state that somebody was about to replace: as "latest" it would undo the very restore that it
 * was taken for. It is meant when it is named, or by its labels, or by the time.
 */
function isMeant(manifest: Manifest, choice: Choice): boolean {
  if (manifest.scope !== 'full' || mismatch(manifest, choice) !== undefined) return false;
  return isNarrowed(choice) || manifest.tier !== 'safety';
}

const isNarrowed = ({ at, labels }: Choice): boolean =>
  at !== undefined || Object.keys(labels).length > 0;

async function named(
  deps: OpenDeps,
  choice: Choice,
  candidates: readonly Candidate[],
): Promise<Candidate> {
  const exact = candidates.find(({ backupId }) => backupId === choice.backup);
  if (exact !== undefined) return exact;
  const query = {
    onDamaged: () => undefined,
    ...(choice.source === undefined ? {} : { source: choice.source }),
  };
  try {
    return await findBackup(deps.vault, choice.backup, query);
  } catch (error) {
    if (!isHoldfastError(error, 'BackupNotFoundError')) throw error;
    throw (await unpublished(deps, choice, error.hint)) ?? error;
  }
}

/** A backup that is in the vault without being in the catalogue: never finished, or never found intact. */
async function unpublished(
  deps: OpenDeps,
  { backup, source }: Choice,
  near: string,
): Promise<HoldfastError | undefined> {
  const of = source ?? /^([a-z0-9][a-z0-9-]*)-\d{8}T/.exec(backup)?.[1];
  if (of === undefined) return undefined;
  for await (const { key } of deps.vault.list(vaultKeys.backup(of, backup).slice(0, -1))) {
    const backupId = key.split('/')[2] ?? '';
    const isSealed = await deps.vault.head(vaultKeys.manifest(of, backupId)).then(
      () => true,
      (error: unknown) => {
        if (isHoldfastError(error, 'ObjectNotFoundError')) return false;
        throw error;
      },
    );
    const why = isSealed
      ? 'was sealed and never published: its run ended before all of it was read back and found intact'
      : 'is unsealed: its run is still going on, or ended before it was whole';
    return new HoldfastError('BackupNotFoundError', `Backup ${backupId} ${why}.`, {
      hint: `It cannot be restored. ${near}`,
      evidence: { backupId, isSealed },
    });
  }
  return undefined;
}

type Decisive = Pick<Manifest, 'labels'> & { readonly snapshot: { readonly instant: string } };

const asManifest = (entry: CatalogueEntry): Decisive => ({
  labels: entry.labels,
  snapshot: { instant: entry.snapshotAt },
});

/** Why a backup is not what was asked for, to follow its id; `undefined` when it is. */
function mismatch({ labels, snapshot }: Decisive, { at, labels: wanted }: Choice) {
  if (at !== undefined && new Date(snapshot.instant) > new Date(at)) {
    return `has its snapshot at ${snapshot.instant}, after ${at}`;
  }
  const missing = Object.entries(wanted).find(([key, value]) => labels[key] !== value);
  if (missing === undefined) return undefined;
  const [key, value] = missing;
  return `is not labelled ${key}=${value}`;
}

function nothingFits(
  { vault }: OpenDeps,
  { at, labels, source }: Choice,
  candidates: readonly Candidate[],
): HoldfastError {
  const conditions = [
    ...(source === undefined ? [] : [`of source ${source}`]),
    ...(at === undefined ? [] : [`with a snapshot at or before ${at}`]),
    ...Object.entries(labels).map(([key, value]) => `labelled ${key}=${value}`),
  ];
  const what = ['no full backup', ...conditions].join(' ');
  const known = candidates.map(({ backupId, entry }) => {
    const kind = entry?.scope === 'partial' ? 'partial' : entry?.tier;
    return kind === 'partial' || kind === 'safety' ? `${backupId} (${kind})` : backupId;
  });
  const hint =
    known.length === 0
      ? 'The list is empty: take a backup first, or look into another vault or source.'
      : `There is: ${some(at === undefined ? known : known.reverse())}. See \`holdfast list\`.`;
  return new HoldfastError('BackupNotFoundError', `There is ${what} in ${vault.location}.`, {
    hint,
    evidence: { near: known.slice(0, 3) },
  });
}

const some = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
