/**
 * The function Sentinel: looks, by the schedule, at what the backups of all sources are worth now, and tells it as
 * metrics. It does not trust that runs say when they fail: a schedule that fires no more is seen here.
 *
 * Invariant: one source that cannot be looked at keeps no other from being told; the call then ends as an error, so that
 * nobody takes silence for health.
 */
import type { Deps } from '../contract/deps.ts';
import type { FunctionOutput, SourceStatus } from '../contract/functions.ts';
import type { MetricName } from '../contract/metrics.ts';
import { listedBackups } from '../evidence/catalogue.ts';
import { inParallel } from '../in-parallel.ts';
import { sourceStatus } from './source-status.ts';

/** A source is some hundred short requests, one after the other; an environment may have fifty sources. */
const sourcesAtOnce = 8;

/** @throws the first error of a source, when all have been looked at */
export async function watchSources(deps: Deps): Promise<FunctionOutput<'Sentinel'>> {
  const at = deps.now().toISOString();
  const errors: unknown[] = [];
  const looked = await inParallel(await namesOfSources(deps), sourcesAtOnce, async (source) => {
    try {
      const objectives = (await deps.sourceOf?.(source))?.objectives;
      const status = await sourceStatus(deps, source, {
        rpoSeconds: objectives === undefined ? null : objectives.rpoHours * 3600,
        hasReplica: deps.replica !== undefined,
      });
      tell(deps, status);
      return status;
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  });
  if (errors.length > 0) throw errors[0];
  return { at, sources: looked.filter((status) => status !== undefined) };
}

export async function namesOfSources(
  deps: Pick<Deps, 'vault' | 'sourceNames'>,
): Promise<readonly string[]> {
  if (deps.sourceNames !== undefined) return deps.sourceNames();
  const listed = await listedBackups(deps.vault);
  return [...new Set(listed.map(({ source }) => source))].sort();
}

function tell(deps: Deps, status: SourceStatus): void {
  const dimensions = { source: status.source };
  const count = (name: MetricName, value: number | null) => {
    // No age is no figure: an alarm takes missing data as bad.
    if (value !== null) deps.metric?.(name, value, dimensions);
  };
  count('SealedAge', status.sealedAgeSeconds);
  count('VerifiedAge', status.verifiedAgeSeconds);
  count('ReplicatedAge', status.replicatedAgeSeconds);
  count('ProvenAge', status.provenAgeSeconds);
  count('ReplicaBehind', status.isReplicaBehind === null ? null : Number(status.isReplicaBehind));
  const problems = [
    ...status.problems,
    ...status.unpublished.map((id) => `${id} is sealed since hours and not published`),
  ];
  for (const message of problems) deps.progress({ state: 'Sentinel', message });
}
