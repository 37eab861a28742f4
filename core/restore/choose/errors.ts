/** What to say when a choice means no backup, or more than one: always with what there is. */
import { HoldfastError } from '../../contract/errors.ts';
import type { Manifest } from '../../contract/manifest.ts';
import type { Choice } from '../../contract/restore.ts';

type Named = { readonly backupId: string };

export const ambiguousSource = (sources: readonly string[]): HoldfastError =>
  new HoldfastError('UsageError', `"latest" of which source? This vault has ${some(sources)}.`, {
    hint: 'Name one with --source NAME, or the id of the backup.',
  });

export const ambiguous = (wanted: string, matches: readonly Named[]): HoldfastError =>
  new HoldfastError(
    'UsageError',
    `${JSON.stringify(wanted)} begins the ids of ${matches.length} backups: ${some(idsOf(matches))}.`,
    { hint: 'Give more of the id.' },
  );

export const nothingNamed = (
  location: string,
  wanted: string,
  listed: readonly Named[],
): HoldfastError =>
  notFound(`no backup ${JSON.stringify(wanted)} in ${location}`, nearest(wanted, idsOf(listed)));

/** @param seen manifests of those that were looked at */
export function nothingFits(
  location: string,
  { at, labels, source }: Choice,
  listed: readonly Named[],
  seen: ReadonlyMap<string, Manifest>,
): HoldfastError {
  const conditions = [
    ...(source === undefined ? [] : [`of source ${source}`]),
    ...(at === undefined ? [] : [`with a snapshot at or before ${at}`]),
    ...Object.entries(labels).map(([key, value]) => `labelled ${key}=${value}`),
  ];
  const known = listed.map(({ backupId }) => {
    const manifest = seen.get(backupId);
    const kind = manifest?.scope === 'partial' ? 'partial' : manifest?.tier;
    return kind === 'partial' || kind === 'safety' ? `${backupId} (${kind})` : backupId;
  });
  const what = ['no full backup', ...conditions].join(' ');
  return notFound(`${what} in ${location}`, at === undefined ? known : known.reverse());
}

function notFound(what: string, known: readonly string[]): HoldfastError {
  const hint =
    known.length === 0
      ? 'The list is empty: take a backup first, or look into another vault or source.'
      : `There is: ${some(known)}. See \`holdfast list\`.`;
  const evidence = { near: known.slice(0, 3) };
  return new HoldfastError('BackupNotFoundError', `There is ${what}.`, { hint, evidence });
}

/** Ids that have a part of what was asked for, best first; else the newest. */
function nearest(wanted: string, ids: readonly string[]): string[] {
  const common = (id: string) => {
    let length = 0;
    while (length < wanted.length && id[length] === wanted[length]) length += 1;
    return id.includes(wanted) && wanted !== '' ? wanted.length + 1 : length;
  };
  return [...ids].sort((a, b) => common(b) - common(a)).slice(0, 3);
}

const idsOf = (listed: readonly Named[]): string[] => listed.map(({ backupId }) => backupId);

const some = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
