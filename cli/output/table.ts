/** Columns of text, aligned; wide enough for what is in them and no wider. */
import { printable } from './format.ts';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of }) => printable(of(row)))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((line) => widthOf(line[index] ?? ''))),
  );
  const lines = cells.map((line) =>
    columns
      .map(({ align }, index) => {
        const text = line[index] ?? '';
        const padding = ' '.repeat((widths[index] ?? 0) - widthOf(text));
        return align === 'right' ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}

/** Code points, not UTF-16 units: near enough for columns. */
const widthOf = (text: string): number => [...text].length;
