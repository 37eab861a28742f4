/** Which state machine a run is of, by what it has written down; and the run that a person means by the beginning of its id. */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError } from '../contract/errors.ts';
import type { MachineName } from '../contract/names.ts';
import { drillRecordSchema } from '../drill/drill-record.ts';
import { scratchSuffix } from '../report/list-reports.ts';
import { readFact } from '../restore/restore-run.ts';
import { workspaceKeys } from '../vault/keys.ts';

export interface FoundRun {
  readonly machine: MachineName;
  readonly runId: string;
}

/**
 * @param wanted an id, or the beginning of one. The restore of a drill is the drill.
 * @throws UsageError when there is none, or more than one
 */
export async function findMachine(
  { workspace }: Pick<Deps, 'workspace'>,
  wanted: string,
): Promise<FoundRun> {
  const found = new Map<string, MachineName>();
  const begins = (runId: string) => wanted !== '' && runId.startsWith(wanted);
  for await (const key of workspace.list(workspaceKeys.runs)) {
    const runId = key.split('/')[1] ?? '';
    if (begins(runId) && key === workspaceKeys.run(runId)) found.set(runId, 'backup');
  }
  for await (const key of workspace.list(workspaceKeys.restores)) {
    const runId = key.split('/')[1] ?? '';
    if (!begins(runId)) continue;
    if (key === workspaceKeys.restoreFact(runId, 'drill')) found.set(runId, 'drill');
    else if (key === workspaceKeys.restore(runId)) found.set(runId, found.get(runId) ?? 'restore');
  }
  const exact = found.get(wanted);
  if (exact !== undefined) return parentOf(workspace, { machine: exact, runId: wanted });
  const parents = [...found].filter(([runId]) => !isChildOf(runId, found));
  const [only, ...others] = parents;
  if (only !== undefined && others.length === 0) return { runId: only[0], machine: only[1] };
  const ids = parents.slice(0, 3).map(([runId]) => runId);
  throw new HoldfastError(
    'UsageError',
    only === undefined
      ? `There is no run ${JSON.stringify(wanted)} on record in ${workspace.location}.`
      : `${JSON.stringify(wanted)} begins the ids of ${parents.length} runs: ${ids.join(', ')}.`,
    only === undefined ? {} : { hint: 'Give more of the id.' },
  );
}

const suffixes = [scratchSuffix, '-safety'];

const isChildOf = (runId: string, all: ReadonlyMap<string, MachineName>): boolean =>
  suffixes.some((suffix) => runId.endsWith(suffix) && all.has(runId.slice(0, -suffix.length)));

async function parentOf(workspace: Deps['workspace'], run: FoundRun): Promise<FoundRun> {
  if (!run.runId.endsWith(scratchSuffix)) return run;
  const parent = run.runId.slice(0, -scratchSuffix.length);
  const drill = await readFact(workspace, parent, 'drill', drillRecordSchema);
  return drill === undefined ? run : { machine: 'drill', runId: parent };
}
