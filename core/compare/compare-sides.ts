/**
 * Compares two sides as a whole: definitions, rows, sequences, large objects, settings, census, validity.
 *
 * Invariant: `identical` means that nothing differs but what is known to be printed differently by a newer server or
 * belongs to the machine (expected differences, which are listed all the same).
 */
import { type Filters, noFilters } from '../contract/filters.ts';
import type { Comparison, Difference } from '../contract/restore.ts';
import { compareDatabases } from './compare-database.ts';
import { compareDefinitions } from './compare-definitions.ts';
import {
  compareCensus,
  compareExtensions,
  compareSequences,
  compareValidity,
} from './compare-facts.ts';
import { compareLargeObjects, type LargeObjectOptions } from './compare-large-objects.ts';
import { compareRows, type RowsOptions, type TablePair } from './compare-rows.ts';
import type { Side, SideTable } from './side.ts';
import { displayName } from './table-name.ts';

export type Verdict = 'identical' | 'different';
export type SidesComparison = Comparison & { readonly verdict: Verdict };

/** What a partial backup chose is compared with the same choice of the other side. */
const filtersOf = (left: Side, right: Side): Filters => left.filters ?? right.filters ?? noFilters;

/**
 * @throws what reading either side throws: TableChangedError, RowSecurityError, PermissionDeniedError, ObjectDamagedError …
 */
export async function compareSides(
  left: Side,
  right: Side,
  options: RowsOptions,
): Promise<SidesComparison> {
  const filters = filtersOf(left, right);
  const definitions = await compareWithoutRows(left, right, filters);
  const settings = isWhole(filters) ? await compareDatabases(left, right) : [];
  const [ours, theirs] = await Promise.all([left.tables(filters), right.tables(filters)]);
  const rows = await compareRows(left, right, pairsOf(ours, theirs), options);
  // With definitions, a missing table is a missing definition.
  const missing = filters.sections === 'data' ? missingTables(ours, theirs) : [];
  const differences = [...definitions, ...missing, ...rows.differences, ...settings];
  return { verdict: verdictOf(differences), tables: rows.tables, differences };
}

export const verdictOf = (differences: readonly Difference[]): Verdict =>
  differences.every(({ isExpected }) => isExpected) ? 'identical' : 'different';

const isWhole = ({ sections, ...patterns }: Filters) =>
  sections === 'all' && Object.values(patterns).every((list) => list.length === 0);

/** Everything that is not in tables and not of the database as an object of its server. */
export async function compareWithoutRows(
  left: Side,
  right: Side,
  filters: Filters,
  { roles, parts = 'all' }: LargeObjectOptions = {},
): Promise<Difference[]> {
  const both = async <T>(ask: (side: Side) => Promise<T>): Promise<[T, T]> =>
    Promise.all([ask(left), ask(right)]);
  const differences: Difference[] = [];
  if (filters.sections !== 'data') {
    const [ours, theirs] = await both((side) => side.definitions(filters));
    differences.push(
      ...compareDefinitions(
        { definitions: ours, major: left.major },
        { definitions: theirs, major: right.major },
        roles,
      ),
    );
  }
  const sequences = await both((side) => side.sequences(filters));
  differences.push(...compareSequences(...sequences));
  differences.push(...(await compareLargeObjects(left, right, filters, { roles, parts })));
  const [ours, theirs] = await both((side) => side.census(filters));
  differences.push(...compareCensus(ours, theirs, roles));
  differences.push(...compareExtensions(...(await both((side) => side.extensions()))));
  differences.push(...compareValidity(...(await both((side) => side.validity()))));
  return differences;
}

type Tables = readonly SideTable[];

const byName = (tables: Tables) => new Map(tables.map((table) => [displayName(table), table]));

/** Tables that both sides have with their rows. */
function pairsOf(ours: Tables, theirs: Tables): TablePair[] {
  const others = byName(theirs);
  return ours.flatMap((left) => {
    const right = others.get(displayName(left));
    const hasRows = right !== undefined && !left.isWithoutRows && !right.isWithoutRows;
    return hasRows ? [{ left, right }] : [];
  });
}

function missingTables(ours: Tables, theirs: Tables): Difference[] {
  const [left, right] = [byName(ours), byName(theirs)];
  const names = new Set([...left.keys(), ...right.keys()]);
  const words = (isThere: boolean) => (isThere ? 'there' : 'no such table');
  return [...names]
    .filter((name) => left.has(name) !== right.has(name))
    .map((object) => ({
      ...{ kind: 'rows', object, isExpected: false },
      ...{ left: words(left.has(object)), right: words(right.has(object)) },
    }));
}
