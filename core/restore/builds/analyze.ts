/** ANALYZE of everything that was restored: large tables each by itself, small ones many in one build. */
import { type BuildDraft, packInOrder, smallTableBytes, type Wave } from './draft.ts';
import { qualified, type RelationName } from './read-statement.ts';
import type { TargetFacts } from './target-facts.ts';

/** First version with ANALYZE ONLY; from then on parents bring their children without it, before only partitions. */
const analyzeOnlySince = 180_000;
const tablesPerBuild = 200;

export function analyzeTables(facts: TargetFacts, bytesOf: (table: string) => number): Wave {
  const hasOnly = facts.serverVersionNum >= analyzeOnlySince;
  const wanted = facts.analyzed
    .filter(({ kind }) => kind !== 'materialized-view')
    // Without ONLY the root does the work for its whole tree.
    .filter(({ isPartition }) => hasOnly || !isPartition)
    .map((table) => ({
      name: `${hasOnly ? 'ONLY ' : ''}${qualified(table)}`,
      label: `${table.schema}.${table.name}`,
      // A tree is of unknown size and by itself.
      bytes: table.kind === 'partitioned' ? Number.POSITIVE_INFINITY : bytesOf(qualified(table)),
    }))
    .sort((a, b) => b.bytes - a.bytes);
  const large = wanted.filter(({ bytes }) => bytes > smallTableBytes);
  const small = packInOrder(
    wanted.filter(({ bytes }) => bytes <= smallTableBytes),
    tablesPerBuild,
    ({ bytes }) => ({ count: 1, bytes }),
  );
  return [
    ...large.map(({ name, label }) => analyze([name], `statistics of ${label}`)),
    ...small.map((pack) =>
      analyze(
        pack.map(({ name }) => name),
        `statistics of ${pack.length} small tables`,
      ),
    ),
  ];
}

/** Those that were refreshed. */
export const analyzeViews = (views: readonly RelationName[]): Wave =>
  views.map((view) =>
    analyze([qualified(view)], `statistics of materialized view ${view.schema}.${view.name}`),
  );

const analyze = (names: readonly string[], label: string): BuildDraft => ({
  kind: 'analyze',
  label,
  object: null,
  // One by one: a table that cannot be analyzed keeps no other one from it.
  statements: names.map((name) => `ANALYZE ${name}`),
});
