/**
 * The order of columns in a table that got its parent by ALTER TABLE … INHERIT: it may be another one than the parent's,
 * and a dump cannot say so. CREATE TABLE … INHERITS puts the parents' columns first.
 *
 * Invariant: only the order may differ; every column and constraint is on both sides, word by word.
 */

const withParents = /\n\)\s*\nINHERITS \(/;

export function isOtherColumnOrder(type: string, one: string, other: string): boolean {
  if (type !== 'TABLE' || !withParents.test(one) || !withParents.test(other)) return false;
  return sortedLines(one) === sortedLines(other);
}

const sortedLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/,$/, ''))
    .sort()
    .join('\n');
