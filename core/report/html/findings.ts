/** What was compared, what differed, what the checks gave, what preflight saw, what was warned of. */
import type {
  ComparedTable,
  Difference,
  OwnCheckResult,
  PreflightItem,
  RestoreReport,
} from '../../contract/restore.ts';
import { formatCount, formatDuration, plural } from '../format.ts';
import { html, type Markup } from './markup.ts';
import { table } from './table.ts';

const isSame = ({ rows, targetRows, fingerprint, targetFingerprint }: ComparedTable): boolean =>
  rows === targetRows && fingerprint === targetFingerprint;

const pill = (tone: string, word: string): Markup =>
  html`<span class="pill ${tone}">${word}</span>`;

/** 32 digits in one word are wider than a phone. */
const digits = (fingerprint: string): Markup =>
  html`<code class="digits">${fingerprint.slice(0, 16)}<wbr>${fingerprint.slice(16)}</code>`;

/** Those that differ come first. */
export function comparedTables({ comparedTables: tables }: RestoreReport): Markup | null {
  if (tables.length === 0) return null;
  const different = tables.filter((entry) => !isSame(entry));
  const rows = tables.reduce((sum, entry) => sum + entry.targetRows, 0);
  const sum =
    different.length === 0
      ? `${plural(tables.length, 'table')} with ${plural(rows, 'row')}: each has the same count and the same fingerprint on both sides.`
      : `${plural(different.length, 'table')} of ${formatCount(tables.length)} ${different.length === 1 ? 'differs' : 'differ'}.`;
  return html`<p>${sum}</p>${table(
    [
      { title: 'Table', of: (entry) => html`<span class="name">${entry.table}</span>` },
      { title: 'Rows in the backup', of: ({ rows: count }) => formatCount(count), isNumber: true },
      { title: 'Rows restored', of: ({ targetRows }) => formatCount(targetRows), isNumber: true },
      { title: 'Fingerprint in the backup', of: ({ fingerprint }) => digits(fingerprint) },
      { title: 'Fingerprint restored', of: ({ targetFingerprint }) => digits(targetFingerprint) },
      {
        title: 'Verdict',
        of: (entry) => (isSame(entry) ? pill('good', 'same') : pill('bad', 'different')),
      },
    ],
    [...different, ...tables.filter(isSame)],
  )}`;
}

export function differences({ differences: all }: RestoreReport): Markup | null {
  if (all.length === 0) return null;
  const columns = [
    { title: 'What', of: ({ kind }: Difference) => kind },
    { title: 'Where', of: ({ object }: Difference) => html`<span class="name">${object}</span>` },
    {
      title: 'In the backup',
      of: ({ left }: Difference) => html`<span class="value">${left}</span>`,
    },
    { title: 'Restored', of: ({ right }: Difference) => html`<span class="value">${right}</span>` },
  ];
  const real = all.filter(({ isExpected }) => !isExpected);
  const expected = all.filter(({ isExpected }) => isExpected);
  return html`${real.length > 0 && table(columns, real)}${
    expected.length > 0 &&
    html`<details><summary>${plural(expected.length, 'expected difference')}: known, and no fault of the backup</summary>${table(columns, expected)}</details>`
  }`;
}

export function ownChecks({ checks }: RestoreReport): Markup | null {
  if (checks.length === 0) return null;
  return table<OwnCheckResult>(
    [
      { title: 'Check', of: ({ name }) => html`<span class="name">${name}</span>` },
      { title: 'Expected', of: ({ expected }) => html`<span class="value">${expected}</span>` },
      { title: 'Got', of: ({ got }) => html`<span class="value">${got}</span>` },
      { title: 'Took', of: ({ durationMs }) => formatDuration(durationMs), isNumber: true },
      {
        title: 'Result',
        of: ({ isPassed }) => (isPassed ? pill('good', 'passed') : pill('bad', 'failed')),
      },
    ],
    checks,
  );
}

const preflightTone = { ok: 'good', warning: 'warning', failed: 'bad' } as const;

export function preflightItems({ preflight }: RestoreReport): Markup | null {
  if (preflight.length === 0) return null;
  const weight = { failed: 0, warning: 1, ok: 2 } as const;
  return table<PreflightItem>(
    [
      { title: 'Result', of: ({ verdict }) => pill(preflightTone[verdict], verdict) },
      { title: 'Check', of: ({ check }) => html`<span class="name">${check}</span>` },
      {
        title: 'Finding',
        of: ({ message, hint }) =>
          html`${message}${hint !== undefined && html`<br><span class="quiet">What to do: ${hint}</span>`}`,
      },
    ],
    [...preflight].sort((a, b) => weight[a.verdict] - weight[b.verdict]),
  );
}

export function warnings({ warnings: all }: RestoreReport): Markup | null {
  if (all.length === 0) return null;
  return html`<ul class="warnings">${all.map(
    ({ code, message, hint }) =>
      html`<li><strong>${code}</strong>: ${message}<br><span class="quiet">${hint}</span></li>\n`,
  )}</ul>`;
}

export function cleanedUp({ cleaned = [] }: RestoreReport): Markup | null {
  if (cleaned.length === 0) return null;
  return html`<ul>${cleaned.map((what) => html`<li>${what}</li>\n`)}</ul>`;
}
