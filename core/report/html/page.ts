/**
 * The report as one page that stands alone: no script, nothing from elsewhere, so that it can be mailed, printed and
 * kept for as long as the backup. The policy in its head makes a browser refuse anything else, whatever got in.
 */
import type { RestoreReport } from '../../contract/restore.ts';
import { formatBytes, formatCount, formatDuration, plural } from '../format.ts';
import {
  cleanedUp,
  comparedTables,
  differences,
  ownChecks,
  preflightItems,
  warnings,
} from './findings.ts';
import { headlineOf } from './headline.ts';
import type { Identity } from './identity.ts';
import { html, type Markup } from './markup.ts';
import { objectives } from './objectives.ts';
import { partDoes, partTitle } from './parts.ts';
import { style } from './style.ts';
import { definitions, section, smallTable } from './table.ts';
import { timelinePicture } from './timeline-svg.ts';
import { verdictMark } from './verdict-mark.ts';

const kinds = {
  restore: 'Restore',
  drill: 'Restore drill',
  'dry-run': 'Dry run of a restore',
} as const;

/** @returns a whole HTML document */
export function renderPage(report: RestoreReport, identity: Identity): string {
  const { tone, title, text } = headlineOf(report);
  const isDryRun = report.kind === 'dry-run';
  const isDone = report.state === 'succeeded';
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${kinds[report.kind]} of ${report.sourceDatabase}: ${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="kicker">Holdfast · ${kinds[report.kind]} · ${time(report.startedAt)}</p>
<header class="verdict ${tone}">${verdictMark(tone)}<div><h1>${title}</h1><p>${text}</p>${subject(report)}</div></header>
${errorBox(report)}
${section('What was cleaned up', cleanedUp(report))}
${section('Recovery objectives', isDryRun ? null : objectives(report))}
${section(isDone ? 'What was restored' : 'What was to be restored', whatWasRestored(report, identity))}
${section('How long each part took', howLong(report))}
${section('What differed', differences(report))}
${section('Rows and fingerprints', comparedTables(report))}
${section('Checks of your own', ownChecks(report))}
${section('Warnings', warnings(report))}
${section('Preflight', preflightItems(report))}
${section('Identifiers', identifiers(report, identity))}
<footer><p>A fingerprint is the sum, modulo 2<sup>128</sup>, of a 128-bit hash of each row in text form. It does not depend on the order of rows: equal fingerprints and equal counts mean equal rows.</p>
<p>Written by Holdfast ${identity.tools.holdfast} at ${time(report.finishedAt)}. This page holds no secrets, no scripts, and nothing from elsewhere.</p></footer>
</main>
</body>
</html>
`;
  return page.text;
}

const time = (iso: string): Markup =>
  html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;

/** Of what, from when, how much: in one line below the verdict. */
function subject({ kind, state, sourceDatabase, snapshotAt, tables, rows }: RestoreReport): Markup {
  const isThere = kind !== 'dry-run' && state === 'succeeded';
  const amount = isThere ? `: ${plural(tables, 'table')}, ${plural(rows, 'row')}` : '';
  return html`<p class="quiet">Database <strong>${sourceDatabase}</strong> as it was at ${time(snapshotAt)}${amount}</p>`;
}

const code = (text: string): Markup => html`<code>${text}</code>`;

const errorBox = ({ error }: RestoreReport): Markup | null =>
  error &&
  html`<section class="error"><h2>What went wrong</h2><p><strong>${error.name}</strong></p>
<p class="message">${error.message}</p><p><strong>What to do now:</strong> ${error.hint}</p></section>`;

function whatWasRestored(report: RestoreReport, identity: Identity): Markup {
  const version = identity.sourceVersion === null ? '' : `, PostgreSQL ${identity.sourceVersion}`;
  const isDryRun = report.kind === 'dry-run';
  const isDone = report.state === 'succeeded';
  return definitions([
    ['Database', html`<span class="name">${report.sourceDatabase}</span>${version}`],
    ['Backup', code(report.backupId)],
    ['Snapshot', time(report.snapshotAt)],
    ['Restored to', report.server],
    [isDone ? 'As' : 'Left there', modeInWords(report)],
    ['Chosen', identity.selection.join('; ')],
    ['Kept aside', report.previousDatabase && code(report.previousDatabase)],
    ['Safety backup', report.safetyBackupId && code(report.safetyBackupId)],
    ['Holds', isDone ? `${plural(report.tables, 'table')}, ${plural(report.rows, 'row')}` : null],
    ['Loaded before it ended', isDone || isDryRun ? null : plural(report.rows, 'row')],
    ['Read from the vault', isDryRun ? null : formatBytes(report.readBytes)],
    [
      'Expected to take',
      isDryRun && identity.estimateMs !== null ? formatDuration(identity.estimateMs) : null,
    ],
    ['Asked for by', `${identity.requestedBy.user} on ${identity.requestedBy.host}`],
    ['Began', time(report.startedAt)],
    ['Ended', time(report.finishedAt)],
  ]);
}

function modeInWords({ kind, mode, database, state, verdict }: RestoreReport): Markup {
  if (kind === 'drill') {
    return database === null
      ? html`a scratch database, dropped afterwards`
      : html`the scratch database ${code(database)}, which was kept`;
  }
  if (kind === 'dry-run') return html`nothing: this was a dry run`;
  if (state === 'rolled-back') return html`the database that was there before`;
  if (database === null) {
    return state === 'failed' && verdict === 'different'
      ? html`nothing: what was different was taken away again`
      : html`nothing: it was taken away again`;
  }
  const words = {
    new: html`the new database ${code(database)}`,
    swap: html`${code(database)}, in place of the one that was there`,
    into: html`rows and tables in the existing database ${code(database)}`,
  };
  return words[mode];
}

function howLong(report: RestoreReport): Markup | null {
  const picture = timelinePicture(report);
  if (picture === null) return null;
  const parts = Object.entries(report.phases);
  const whole = Math.max(1, Date.parse(report.finishedAt) - Date.parse(report.startedAt));
  return html`<figure>${picture}</figure>${smallTable(
    [
      { title: 'Part', of: ([part]) => partTitle(part) },
      { title: 'What it does', of: ([part]) => partDoes(part), isExtra: true },
      { title: 'Took', of: ([, took]) => formatDuration(took), isNumber: true },
      {
        title: 'Share',
        of: ([, took]) => `${formatCount(Math.round((took / whole) * 100))} %`,
        isNumber: true,
      },
    ],
    parts,
  )}`;
}

const identifiers = (report: RestoreReport, identity: Identity): Markup =>
  definitions([
    ['Run', code(report.runId)],
    ['Backup', code(report.backupId)],
    ['SHA-256 of its manifest', identity.manifestSha256 && code(identity.manifestSha256)],
    ['Source', code(report.source)],
    ['Vault', code(identity.vaultId)],
    ['Place of the vault', code(identity.vault)],
    ['Signed evidence', identity.evidence && code(identity.evidence)],
    ['Tools', `Holdfast ${identity.tools.holdfast}, Node.js ${identity.tools.node}`],
  ]);
