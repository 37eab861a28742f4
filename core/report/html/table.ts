/**
 * A table that is read on any width: columns on a screen and on paper, on a phone a block per row with the titles beside
 * the values. A long one shows its beginning, the rest opens with a click (and is open on paper).
 */
import { formatCount, plural } from '../format.ts';
import { html, type Markup } from './markup.ts';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | Markup;
  readonly isNumber?: boolean;
  /** Left out on a phone. */
  readonly isExtra?: boolean;
}

const shownAtOnce = 20;
/** Larger pages do not open on a phone; the report's JSON has all rows. */
const shownAtMost = 2_000;

export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Markup {
  const first = rows.slice(0, shownAtOnce);
  const more = rows.slice(shownAtOnce, shownAtMost);
  const left = rows.length - first.length - more.length;
  return html`${grid(columns, first, 'stacked')}${
    more.length > 0 &&
    html`<details><summary>${plural(more.length, 'more row')}</summary>${grid(columns, more, 'stacked')}</details>`
  }${left > 0 && html`<p class="quiet">${formatCount(left)} more are in the report's JSON.</p>`}`;
}

/** A few short columns, which stay columns on a phone. */
export const smallTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Markup =>
  grid(columns, rows, 'small');

function grid<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  layout: 'stacked' | 'small',
): Markup {
  const classOf = ({ isNumber, isExtra }: Column<Row>) => {
    const names = [...(isNumber === true ? ['number'] : []), ...(isExtra === true ? ['wide'] : [])];
    return names.length > 0 && html` class="${names.join(' ')}"`;
  };
  const heads = columns.map(
    (column) => html`<th scope="col"${classOf(column)}>${column.title}</th>`,
  );
  const lines = rows.map(
    (row) =>
      html`<tr>${columns.map(
        (column) =>
          html`<td data-title="${column.title}"${classOf(column)}><div>${column.of(row)}</div></td>`,
      )}</tr>\n`,
  );
  return html`<table class="${layout}"><thead><tr>${heads}</tr></thead><tbody>
${lines}</tbody></table>`;
}

/** Names and their values; those without a value are left out. */
export function definitions(
  entries: readonly (readonly [string, string | Markup | null])[],
): Markup {
  const lines = entries
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`);
  return html`<dl>\n${lines}</dl>`;
}

export const section = (title: string, content: Markup | null): Markup | null =>
  content && html`<section><h2>${title}</h2>${content}</section>\n`;
