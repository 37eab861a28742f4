/** `holdfast report`: what was restored from a vault, and the report of each recovery. */
import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { RestoreReport } from '../../core/contract/restore.ts';
import { findReport, listReports } from '../../core/report/list-reports.ts';
import { workspaceKeys } from '../../core/vault/keys.ts';
import type { Workspace } from '../../core/vault/vault.ts';
import { addJson, addVaultOrBucket, addWorkspace, type VaultOptions } from '../options.ts';
import { describeRecovery } from '../output/describe-recovery.ts';
import { formatCount, formatDuration, formatTime } from '../output/format.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import { renderTable } from '../output/table.ts';
import { readWorkspace } from '../read-vault.ts';

interface ReportOptions extends VaultOptions {
  readonly html?: string;
  readonly openPath?: boolean;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description('List the recoveries of a vault, or show the report of one.')
    .argument('[run]', 'id of a restore or drill, the beginning of one, or "latest"')
    .addOption(new Option('--html <file>', 'copy its page to this file').conflicts('openPath'))
    .option('--open-path', 'print nothing but the path of its page')
    .addHelpText(
      'after',
      `
Examples:
  holdfast report --vault /backups/shop
  holdfast report latest --vault /backups/shop
  holdfast report 20261121t0530 --html recovery.html --vault /backups/shop
  xdg-open "$(holdfast report latest --open-path --vault /backups/shop)"

The page stands alone: it can be mailed, printed and kept. It holds no secrets.`,
    )
    .action((wanted: string | undefined, options: ReportOptions) =>
      wanted === undefined ? list(options) : show(wanted, options),
    );
  return addJson(addWorkspace(addVaultOrBucket(command)));
}

async function list(options: ReportOptions): Promise<void> {
  if (options.html !== undefined || options.openPath === true) {
    throw new HoldfastError('UsageError', 'No run was named whose page is wanted.', {
      hint: 'Name one, or "latest".',
    });
  }
  const workspace = await readWorkspace(options);
  const reports = await listReports({ workspace });
  if (options.json) return printJson(reports.map(summaryOf));
  if (reports.length === 0) return print('Nothing was restored from this vault yet.');
  print(
    renderTable(
      [
        { title: 'RUN', of: ({ runId }) => runId },
        { title: 'KIND', of: ({ kind, mode }) => (kind === 'restore' ? `${kind} ${mode}` : kind) },
        { title: 'BEGAN', of: ({ startedAt }) => formatTime(startedAt) },
        { title: 'BACKUP', of: ({ backupId }) => backupId },
        { title: 'STATE', of: ({ state }) => state },
        { title: 'VERDICT', of: ({ verdict }) => verdict },
        { title: 'ROWS', align: 'right', of: ({ rows }) => formatCount(rows) },
        { title: 'TOOK', align: 'right', of: ({ rtoMs }) => formatDuration(rtoMs) },
        { title: 'DATABASE', of: ({ database }) => database ?? '-' },
      ],
      reports,
    ),
  );
}

/** Without the long lists: those are in the report itself. */
const summaryOf = ({
  preflight: _preflight,
  comparedTables: _tables,
  differences: _differences,
  timeline: _timeline,
  ...rest
}: RestoreReport) => rest;

async function show(wanted: string, options: ReportOptions): Promise<void> {
  const workspace = await readWorkspace(options);
  const report = await findReport({ workspace }, wanted);
  if (options.openPath === true) return print(report.page ?? '');
  if (options.html !== undefined) await copyPage(workspace, report, options.html);
  if (options.json) printJson(report);
  else print(describeRecovery(report));
}

async function copyPage(workspace: Workspace, report: RestoreReport, file: string): Promise<void> {
  const page = await workspace.get(workspaceKeys.restorePage(report.runId));
  if (page === undefined) {
    throw new HoldfastError('ObjectNotFoundError', `Run ${report.runId} has no page.`, {
      hint: 'Its report is there: see --json.',
    });
  }
  try {
    await writeFile(file, page.body);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new HoldfastError(
      'UsageError',
      `--html ${JSON.stringify(file)} cannot be written (${code}).`,
      {
        cause,
      },
    );
  }
  printLine(`Wrote ${file}`);
}
