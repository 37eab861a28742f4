/** A manifest and its evidence as a page for people. */
import type { EvidenceRecord } from '../../core/contract/catalogue.ts';
import type { Manifest, TableEntry } from '../../core/contract/manifest.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatTime,
  plural,
  printable,
} from './format.ts';
import { renderTable } from './table.ts';

export function describeBackup(manifest: Manifest, evidence: readonly EvidenceRecord[]): string {
  return [
    facts(manifest, evidence),
    tables(manifest.tables),
    section(
      'Warnings',
      manifest.warnings.map(({ code, message, hint }) => `${code}: ${message}\n    ${hint}`),
    ),
    section(
      'Evidence',
      evidence.map(
        (record) =>
          `${formatTime(record.at)}  ${record.kind}  by ${record.by.user}@${record.by.host}${proofOf(record)}`,
      ),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function facts(manifest: Manifest, evidence: readonly EvidenceRecord[]): string {
  const { source, snapshot, totals, inventory, largeObjects, labels, createdBy } = manifest;
  const took = Date.parse(manifest.sealedAt) - Date.parse(manifest.startedAt);
  const lines: [string, string][] = [
    ['Backup', manifest.backupId],
    [
      'Database',
      `${inventory.database.name} on ${source.host}:${source.port}, PostgreSQL ${source.serverVersion}`,
    ],
    [
      'Snapshot',
      `${formatTime(snapshot.instant)}${snapshot.lsn === null ? '' : ` (LSN ${snapshot.lsn})`}`,
    ],
    ['Proven', provenIn(evidence)],
    ['Scope', manifest.scope === 'full' ? 'full' : `PARTIAL: ${describeFilters(manifest)}`],
    ['Tier', manifest.tier],
    ['Taken by', `${createdBy.user}@${createdBy.host}, in ${formatDuration(took)}`],
    [
      'Holds',
      `${plural(totals.tables, 'table')}, ${plural(totals.rows, 'row')}, ${plural(largeObjects.count, 'large object')}, ${plural(inventory.sequences.length, 'sequence')}`,
    ],
    [
      'Size',
      `${formatBytes(totals.rawBytes)}, stored as ${formatBytes(totals.storedBytes)} in ${plural(totals.objects, 'object')}`,
    ],
    [
      'Extensions',
      inventory.extensions.map(({ name, version }) => `${name} ${version}`).join(', '),
    ],
    [
      'Labels',
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', '),
    ],
    ['Set', manifest.setId ?? ''],
    [
      'Keys',
      `${manifest.encryption.keyId}, signed with ${manifest.signingKeyId} (signature is good)`,
    ],
  ];
  return lines
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(11)} ${printable(value)}`)
    .join('\n');
}

function describeFilters({ filters }: Manifest): string {
  const options: [string, readonly string[]][] = [
    ['--schema', filters.schemas],
    ['--exclude-schema', filters.excludeSchemas],
    ['--table', filters.tables],
    ['--exclude-table', filters.excludeTables],
    ['--exclude-table-data', filters.excludeTableData],
  ];
  const parts = options.flatMap(([name, patterns]) =>
    patterns.map((pattern) => `${name} ${pattern}`),
  );
  if (filters.sections !== 'all') parts.push(`--${filters.sections}-only`);
  return parts.join(' ');
}

function tables(entries: readonly TableEntry[]): string {
  if (entries.length === 0) return 'No tables.';
  const largestFirst = [...entries].sort((a, b) => b.rawBytes - a.rawBytes);
  return renderTable(
    [
      { title: 'TABLE', of: ({ schema, name }) => `${schema}.${name}` },
      { title: 'KIND', of: ({ kind }) => kind },
      {
        title: 'ROWS',
        align: 'right',
        of: (table) =>
          table.dataExcluded ? `left out (${table.dataExcluded})` : formatCount(table.rows),
      },
      { title: 'SIZE', align: 'right', of: ({ rawBytes }) => formatBytes(rawBytes) },
      { title: 'STORED', align: 'right', of: ({ storedBytes }) => formatBytes(storedBytes) },
      { title: 'SEGMENTS', align: 'right', of: ({ segments }) => formatCount(segments.length) },
    ],
    largestFirst,
  );
}

/** Said of each backup: one that nobody has ever restored is a hope. */
function provenIn(evidence: readonly EvidenceRecord[]): string {
  const last = evidence.findLast(({ kind }) => kind === 'proven' || kind === 'damaged');
  if (last?.kind === 'damaged') return `NO: found DAMAGED at ${formatTime(last.at)}`;
  return last === undefined
    ? 'not yet: `holdfast drill` restores and compares it'
    : `${formatTime(last.at)}, by a restore that came back identical`;
}

/** How the drill went that proved it. */
function proofOf({ kind, facts }: EvidenceRecord): string {
  const { rtoMs, rows } = facts;
  if (kind !== 'proven' || typeof rtoMs !== 'number' || typeof rows !== 'number') return '';
  return `: restored in ${formatDuration(rtoMs)}, ${plural(rows, 'row')} identical`;
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}`).join('\n')}`;
