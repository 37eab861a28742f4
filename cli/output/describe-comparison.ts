/** The result of a comparison for people: the verdict, each difference with what either side has, and the keys. */
import type { SidesComparison } from '../../core/compare/compare-sides.ts';
import type { Difference } from '../../core/contract/restore.ts';
import { formatDuration, plural, printable } from './format.ts';

export interface NamedComparison extends SidesComparison {
  readonly left: { readonly kind: 'backup' | 'live'; readonly name: string };
  readonly right: { readonly kind: 'backup' | 'live'; readonly name: string };
  readonly durationMs: number;
}

/** Enough to see what is going on; `--json` has them all. */
const shownDifferences = 50;
const shownKeys = 20;

export function describeComparison(comparison: NamedComparison): string {
  const { left, right, tables, differences, verdict, durationMs } = comparison;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const real = differences.filter(({ isExpected }) => !isExpected);
  const expected = differences.filter(({ isExpected }) => isExpected);
  const seen = `${plural(tables.length, 'table')}, ${plural(rows, 'row')}, ${formatDuration(durationMs)}`;
  const head =
    verdict === 'identical' ? 'Identical' : `DIFFERENT: ${plural(real.length, 'difference')}`;
  const more = real.length - shownDifferences;
  return [
    `left   ${side(left)}`,
    `right  ${side(right)}`,
    `${head} (${seen})`,
    ...real.slice(0, shownDifferences).map(differenceText),
    ...(more > 0 ? [`  … and ${plural(more, 'more difference')}: --json lists them all`] : []),
    ...expectedLines(expected),
  ].join('\n');
}

const side = ({ kind, name }: NamedComparison['left']): string =>
  `${kind === 'backup' ? 'backup' : 'database'} ${printable(name)}`;

function differenceText({ kind, object, left, right, keys }: Difference): string {
  return [
    '',
    `  ${kind}: ${printable(object)}`,
    `    left   ${printable(left)}`,
    `    right  ${printable(right)}`,
    ...(keys === undefined ? [] : [`    keys   ${keysText(keys)}`]),
  ].join('\n');
}

function keysText(keys: readonly string[]): string {
  const more = keys.length - shownKeys;
  const shown = keys.slice(0, shownKeys).map(printable).join(' ');
  return more > 0 ? `${shown} and ${plural(more, 'more', 'more')}` : shown;
}

/** Of one line each: they are harmless, and a new major has many. */
function expectedLines(expected: readonly Difference[]): string[] {
  if (expected.length === 0) return [];
  const names = expected.map(({ object }) => `  ${printable(object)}`);
  const more = names.length - shownKeys;
  return [
    '',
    `Known and harmless (${plural(expected.length, 'thing')} that the servers or what was asked for make different):`,
    ...names.slice(0, shownKeys),
    ...(more > 0 ? [`  … and ${plural(more, 'more', 'more')}: --json lists them all`] : []),
  ];
}
