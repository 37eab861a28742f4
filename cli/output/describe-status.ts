/** The ages of sources, as a person reads them. */
import type { JudgedStatus } from '../promises.ts';
import { formatTime } from './format.ts';
import { renderTable } from './table.ts';

export function describeStatus(sources: readonly JudgedStatus[]): string {
  if (sources.length === 0) return 'There is no backup in this vault yet.';
  const table = renderTable(
    [
      { title: 'SOURCE', of: ({ source }) => source },
      { title: 'SEALED', align: 'right', of: (it) => ageText(it.sealedAgeSeconds) },
      { title: 'VERIFIED', align: 'right', of: (it) => ageText(it.verifiedAgeSeconds) },
      ...(sources.some(hasReplica) ? [replicated] : []),
      { title: 'PROVEN', align: 'right', of: (it) => ageText(it.provenAgeSeconds) },
      { title: 'RPO', of: promiseText },
      { title: 'NEWEST', of: ({ newest }) => newest ?? '-' },
    ],
    sources,
  );
  const notes = sources.flatMap((it) => [
    ...it.problems,
    ...it.unpublished.map((id) => `${id} is sealed since hours and was never published`),
    ...brokenPromises(it),
  ]);
  return [table, ...notes.map((note) => `! ${note}`)].join('\n');
}

/** Only where there is somewhere to copy to can a copy be behind. */
const hasReplica = ({ isReplicaBehind }: JudgedStatus): boolean => isReplicaBehind !== null;

const replicated = {
  title: 'REPLICATED',
  align: 'right',
  of: (it: JudgedStatus) => (hasReplica(it) ? ageText(it.replicatedAgeSeconds) : '-'),
} as const;

/** But the RPO, which has a column. */
function brokenPromises({
  source,
  provenSeconds,
  isProvenInTime,
  isReplicaBehind,
}: JudgedStatus): string[] {
  const broken: string[] = [];
  if (isReplicaBehind) {
    broken.push(
      `${source}: the newest backup has no copy in the other Region, an hour after it was published`,
    );
  }
  if (isProvenInTime === false) {
    broken.push(`${source}: no drill has proven a backup of the last ${ageText(provenSeconds)}`);
  }
  return broken;
}

interface Running {
  readonly machine: string;
  readonly name: string;
  readonly startedAt: Date;
}

/** @param said `--env prod`, for the command that is shown */
export function describeRunning(running: readonly Running[], said: string): string {
  if (running.length === 0) return 'Nothing runs now.';
  const lines = running.map(
    ({ machine, name, startedAt }) =>
      `  ${machine} ${name}  since ${formatTime(startedAt.toISOString())}`,
  );
  return ['Runs now:', ...lines, `  To look on: holdfast ${said} follow NAME`].join('\n');
}

const promiseText = ({ rpoSeconds, isWithinRpo }: JudgedStatus): string => {
  if (rpoSeconds === null) return '-';
  return `${ageText(rpoSeconds)} ${isWithinRpo ? 'met' : 'NOT MET'}`;
};

/** Two units at most: `2 d 4 h`, `55 min`. */
function ageText(seconds: number | null): string {
  if (seconds === null) return 'never';
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(`${hours} h`, minutes % 60, 'min');
  return withRest(`${Math.floor(hours / 24)} d`, hours % 24, 'h');
}

const withRest = (text: string, rest: number, unit: string): string =>
  rest === 0 ? text : `${text} ${rest} ${unit}`;
