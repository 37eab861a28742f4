/**
 * The order in which a database is finished after its rows: waves of builds, each of which needs those before it.
 *
 * 1 indexes, side by side · 2 constraints that need their table alone · 3 small definitions, foreign keys NOT VALID ·
 * 4 what post-data made late · 5 statistics · 6 foreign keys and checks validated · 7 policies, publications …
 * 8 materialized views · 9 their statistics · 10 event triggers.
 *
 * Invariant: the same backup and the same target give the same plan.
 */
import type { Manifest, SwitchedOff } from '../../contract/manifest.ts';
import type { RestoreOptions } from '../../contract/restore.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import type { DeferredCheck } from '../deferred-checks.ts';
import { analyzeTables, analyzeViews } from './analyze.ts';
import { putBackChecks, validateChecks } from './deferred-check-builds.ts';
import { batchStatements, definitionBatches } from './definition-batches.ts';
import { type BuildDraft, packInOrder, smallTableBytes, type Wave } from './draft.ts';
import { oneProcessEach } from './parallel-workers.ts';
import { qualified } from './read-statement.ts';
import { sortEntries } from './sort-entries.ts';
import type { SortedEntries, TableDraft, WholeForeignKey } from './sorted-entries.ts';
import { switchOffDefinitions } from './switch-off.ts';
import type { TargetFacts } from './target-facts.ts';

/** Each holds locks on a table or two, their indexes and types until the transaction ends. */
const definitionsPerTransaction = 200;

export interface PlanInput {
  readonly entries: readonly SchemaEntry[];
  readonly facts: TargetFacts;
  readonly tables: Manifest['tables'];
  readonly checks: readonly DeferredCheck[];
  readonly switchedOff: readonly SwitchedOff[];
  /** `name=value` of the source's database. */
  readonly databaseSettings: readonly string[];
  readonly options: Pick<RestoreOptions, 'batchObjects' | 'jobs'>;
  /** Of the server, when they are known. */
  readonly cores?: number | undefined;
}

/** @returns waves that have builds in them, the longest builds of a wave first */
export function planWaves(input: PlanInput): Wave[] {
  const { entries, facts, tables, checks, switchedOff, options } = input;
  const bytes = new Map(tables.map((table) => [qualified(table), table.rawBytes]));
  const bytesOf = (table: string) => bytes.get(table) ?? 0;
  const sorted = sortEntries(entries, { facts, bytesOf });
  const largestFirst = (drafts: readonly TableDraft[]) =>
    [...drafts].sort((a, b) => bytesOf(b.table) - bytesOf(a.table)).map(({ draft }) => draft);
  const oneByOne = (drafts: readonly BuildDraft[]) => drafts.map((draft) => [draft]);
  const batches = (definitions: SortedEntries['definitions'], what: string) =>
    oneByOne(definitionBatches(definitions, options.batchObjects, what));
  const isSmall = ({ table }: TableDraft) => bytesOf(table) <= smallTableBytes;
  const small = sorted.validations.filter(isSmall);
  const large = sorted.validations.filter((one) => !isSmall(one));
  const waves: Wave[] = [
    [
      ...largestFirst(sorted.indexes),
      ...smallTables(sorted.small, bytesOf, 'indexes and constraints'),
    ],
    largestFirst(sorted.exclusive),
    ...batches([...sorted.definitions, ...putBackChecks(checks)], 'definitions'),
    largestFirst(sorted.lateIndexes),
    analyzeTables(facts, bytesOf),
    ...apart(sorted.wholeForeignKeys),
    [
      ...interleaved(large, bytesOf),
      ...smallTables(byTable(small), bytesOf, 'foreign keys'),
      ...validateChecks(checks, input.databaseSettings),
    ],
    ...batches(sorted.lastDefinitions, 'policies, publications and the like'),
    ...batches(switchOffDefinitions(switchedOff), 'states of foreign keys'),
    ...refreshWaves(sorted, facts),
    analyzeViews(sorted.refreshes.flatMap(({ view }) => view ?? [])),
    ...batches(sorted.eventTriggers, 'event triggers'),
  ];
  return waves
    .filter((wave) => wave.length > 0)
    .map((wave) => oneProcessEach(wave, options.jobs, input.cores));
}

/** All of one table stands in one transaction: no two of them wait for each other. */
function smallTables(
  small: SortedEntries['small'],
  bytesOf: (table: string) => number,
  what: string,
): Wave {
  const packs = packInOrder([...small], definitionsPerTransaction, ([table, definitions]) => ({
    count: definitions.length,
    bytes: bytesOf(table) * definitions.length,
  }));
  return packs.map((pack) => ({
    kind: 'statements',
    label: `${what} of ${pack.length} small tables`,
    object: null,
    statements: batchStatements(pack.flatMap(([, definitions]) => definitions)),
  }));
}

function byTable(drafts: readonly TableDraft[]): SortedEntries['small'] {
  const tables: SortedEntries['small'] = new Map();
  for (const { table, draft } of drafts) {
    const own = tables.get(table) ?? [];
    own.push({ label: draft.label, statements: draft.statements });
    tables.set(table, own);
  }
  return tables;
}

/** Two that share a table would wait for each other, and with partitions even in a circle: never in one wave. */
function apart(foreignKeys: readonly WholeForeignKey[]): Wave[] {
  const waves: BuildDraft[][] = [];
  /** Table → first wave that does not lock it. */
  const free = new Map<string, number>();
  for (const { draft, locks } of foreignKeys) {
    const at = Math.max(...locks.map((table) => free.get(table) ?? 0));
    waves[at] ??= [];
    waves[at].push(draft);
    for (const table of locks) free.set(table, at + 1);
  }
  return waves;
}

/** Validations of one table wait for each other: the first of each table, then the second of each … */
function interleaved(drafts: readonly TableDraft[], bytesOf: (table: string) => number): Wave {
  const turns = new Map<string, number>();
  const withTurns = drafts.map(({ table, draft }) => {
    const turn = turns.get(table) ?? 0;
    turns.set(table, turn + 1);
    return { turn, bytes: bytesOf(table), draft };
  });
  return withTurns.sort((a, b) => a.turn - b.turn || b.bytes - a.bytes).map(({ draft }) => draft);
}

/** pg_dump's order is right for one after the other; the catalogs tell which can be refreshed together. */
function refreshWaves({ refreshes, hasLateViews }: SortedEntries, facts: TargetFacts): Wave[] {
  const levels = refreshes.map(({ view }) => view && facts.viewLevels.get(qualified(view)));
  if (hasLateViews || levels.includes(undefined)) return refreshes.map(({ draft }) => [draft]);
  const waves: BuildDraft[][] = [];
  for (const [index, { draft }] of refreshes.entries()) {
    const level = levels[index] ?? 0;
    waves[level] ??= [];
    waves[level].push(draft);
  }
  return waves.filter((wave) => wave !== undefined);
}
