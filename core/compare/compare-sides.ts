/**
 * Compares two sides as a whole: definitions, rows, sequences, large objects, settings, census, validity.
 *
 * Invariant: `identical` means that nothing differs but what is known to be printed differently by a newer server or
 * belongs to the machine (expected differences, which are listed all the same).
 */
import { type Filters, noFilters } from '../contract/filters.ts';
import type { Comparison, Difference } from '../contract/restore.ts';
import { compareDatabases } from './compare-database.ts';
import { compareDefinitions, type RolesAsked } from './compare-definitions.ts';
import {
  compareCensus,
  compareExtensions,
  compareSequences,
  compareValidity,
} from './compare-facts.ts';
import { compareLargeObjects } from './compare-large-objects.ts';
import { compareRows, type RowsOptions, type TablePair } from './compare-rows.ts';
import type { Side } from './side.ts';

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
  const rows = await compareRows(left, right, await pairsOf(left, right, filters), options);
  const differences = [...definitions, ...rows.differences, ...settings];
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
  roles?: RolesAsked,
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
  differences.push(...(await compareLargeObjects(left, right, filters, roles)));
  const [ours, theirs] = await both((side) => side.census(filters));
  differences.push(...compareCensus(ours, theirs, roles));
  differences.push(...compareExtensions(...(await both((side) => side.extensions()))));
  differences.push(...compareValidity(...(await both((side) => side.validity()))));
  return differences;
}

/** Tables that both sides have with their rows. */
async function pairsOf(left: Side, right: Side, filters: Filters): Promise<TablePair[]> {
  const key = ({ schema, name }: { schema: string; name: string }) =>
    JSON.stringify([schema, name]);
  const theirs = new Map((await right.tables(filters)).map((table) => [key(table), table]));
  return (await left.tables(filters)).flatMap((table) => {
    const other = theirs.get(key(table));
    if (other === undefined || table.isWithoutRows || other.isWithoutRows) return [];
    return [{ left: table, right: other }];
  });
}
