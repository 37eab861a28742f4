/** The recoveries that a vault's workspace knows: restores, drills and dry runs, newest first. */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { RestoreReport } from '../contract/restore.ts';
import { workspaceKeys } from '../vault/keys.ts';
import { readReport } from './write-report.ts';

type ReadDeps = Pick<Deps, 'workspace'>;

/** What a restore is called that a drill has started: its report is the drill's. */
export const scratchSuffix = '-scratch';

async function listRunIds({ workspace }: ReadDeps): Promise<string[]> {
  const runIds: string[] = [];
  for await (const key of workspace.list(workspaceKeys.restores)) {
    const [, runId = '', file] = key.split('/');
    if (file === 'report.json') runIds.push(runId);
  }
  return runIds;
}

/** The restore of a drill is left out when the drill itself has a report. */
export async function listReports(deps: ReadDeps): Promise<RestoreReport[]> {
  const all = await listRunIds(deps);
  const known = new Set(all);
  const isPartOfDrill = (runId: string) =>
    runId.endsWith(scratchSuffix) && known.has(runId.slice(0, -scratchSuffix.length));
  const reports: RestoreReport[] = [];
  for (const runId of all.filter((id) => !isPartOfDrill(id))) {
    const report = await readReport(deps, runId);
    if (report !== undefined) reports.push(report);
  }
  return reports.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

/**
 * @param wanted `latest`, the id of a run, or the beginning of one
 * @throws UsageError when there is none, or more than one
 */
export async function findReport(deps: ReadDeps, wanted: string): Promise<RestoreReport> {
  const exact = wanted === '' ? undefined : await readIfId(deps, wanted);
  if (exact !== undefined) return exact;
  const reports = await listReports(deps);
  const matches =
    wanted === 'latest'
      ? reports.slice(0, 1)
      : reports.filter(({ runId }) => runId.startsWith(wanted));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  const ids = (matches.length > 1 ? matches : reports).slice(0, 3).map(({ runId }) => runId);
  throw new HoldfastError(
    'UsageError',
    matches.length > 1
      ? `${JSON.stringify(wanted)} begins the ids of ${matches.length} runs: ${ids.join(', ')}.`
      : `There is no report of a run ${JSON.stringify(wanted)} in ${deps.workspace.location}.`,
    {
      hint:
        ids.length === 0
          ? 'Nothing was restored from this vault yet.'
          : `There is: ${ids.join(', ')}. See \`holdfast report\`.`,
    },
  );
}

/** What a person types need not be a part of a key. */
const readIfId = async (deps: ReadDeps, wanted: string): Promise<RestoreReport | undefined> =>
  /^[A-Za-z0-9._-]+$/.test(wanted) && !wanted.startsWith('.')
    ? readReport(deps, wanted)
    : undefined;
