/** The backup itself. That it is there, signed and can be opened is known already: it was opened to get here. */
import type { EvidenceRecord } from '../../contract/catalogue.ts';
import { listed, plural } from '../../doctor/check.ts';
import { readAllEvidence } from '../../evidence/record.ts';
import {
  type BackupTarget,
  type Finding,
  failed,
  ok,
  type PreflightCheck,
  warning,
} from './check.ts';

export const backupFound: PreflightCheck<BackupTarget> = {
  check: 'backup',
  async look({ manifest }) {
    const { backupId, source, snapshot, totals, signingKeyId } = manifest;
    return ok(
      `Backup ${backupId} of ${source.name}: snapshot of ${snapshot.instant}, ` +
        `${plural(totals.tables, 'table')}, ${plural(totals.rows, 'row')}; ` +
        `its signature is good (key ${signingKeyId}) and its content can be decrypted.`,
    );
  },
};

/** What the backup never held cannot come back. */
export const backupWhole: PreflightCheck<BackupTarget> = {
  check: 'backup-whole',
  async look({ manifest, input }) {
    const { scope, filters, tables } = manifest;
    if (scope === 'full') return ok('The backup holds the whole database.');
    if (filters.sections === 'data') {
      const isMissing = 'The backup holds rows without definitions';
      return input.mode === 'into'
        ? warning(`${isMissing}.`, 'The tables must exist in the database already.')
        : failed(
            `${isMissing}: no database can be made of it.`,
            'Restore it with --mode into a database that has the tables, or choose a full backup.',
          );
    }
    const without = tables.flatMap(({ schema, name, dataExcluded }) =>
      dataExcluded === undefined ? [] : [`${schema}.${name}`],
    );
    const rows =
      without.length === 0
        ? ''
        : ` ${plural(without.length, 'table')} without rows: ${listed(without)}.`;
    return warning(
      `The backup is partial: it holds ${plural(tables.length, 'table')} of its database.${rows}`,
      'Choose a full backup (`holdfast list`) unless this is what you want.',
    );
  },
};

/** Reading it all again would take as long as the restore; what an earlier look found is at hand. */
export const backupEvidence: PreflightCheck<BackupTarget> = {
  check: 'backup-evidence',
  async look({ deps, manifest }): Promise<Finding> {
    let last: EvidenceRecord | undefined;
    for await (const record of readAllEvidence(deps, manifest.source.name, manifest.backupId)) {
      if (['verified', 'proven', 'damaged'].includes(record.kind)) last = record;
    }
    if (last === undefined) {
      return warning(
        'Nobody has read this backup back since it was taken.',
        'Run `holdfast verify` on it, or go on: each segment is checked before its rows are committed.',
      );
    }
    if (last.kind !== 'damaged') return ok(`It was ${last.kind} on ${last.at}.`);
    return warning(
      `It was found DAMAGED on ${last.at}: the restore ends where the damage is.`,
      'Choose another backup, or restore single tables of this one with --mode into.',
    );
  },
};
