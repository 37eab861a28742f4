/** `holdfast doctor`: what would go wrong, before the worst day. */
import { stat, statfs } from 'node:fs/promises';
import { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Check } from '../../core/doctor/check.ts';
import { type DoctorVault, doctor } from '../../core/doctor/doctor.ts';
import { defaultKeyFilePath, loadKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing } from '../../local/keyring/local-key-ring.ts';
import { connectionOf, namesDatabase } from '../connect.ts';
import { exitCodes } from '../exit-codes.ts';
import { namedKeyFile, namesVault, openVaultOf } from '../open.ts';
import {
  addDatabase,
  addJson,
  addKey,
  addVault,
  type DatabaseOptions,
  type VaultOptions,
} from '../options.ts';
import { plural, printable } from '../output/format.ts';
import { print, printJson } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';

type DoctorOptions = VaultOptions & DatabaseOptions;

export function doctorCommand(setExitCode: SetExitCode): Command {
  const command = new Command('doctor')
    .description('Say before the worst day what would go wrong: server, rights, locks, vault, key.')
    .addHelpText(
      'after',
      `
Examples:
  holdfast doctor --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast doctor --database postgresql://app@localhost/shop
  holdfast doctor --vault /backups/shop --json

Changes nothing. Exit code 1 when there is a problem; warnings alone are 0.`,
    )
    .action((options: DoctorOptions) => examine(options, setExitCode));
  return addJson(addDatabase(addKey(addVault(command))));
}

async function examine(options: DoctorOptions, setExitCode: SetExitCode): Promise<void> {
  if (!namesVault(options) && !namesDatabase(options)) {
    throw new HoldfastError('UsageError', 'Neither a vault nor a database was named.', {
      hint: 'Give --vault DIR, --database URL, or both.',
    });
  }
  // Wrong use of the command line is no finding about the server.
  const connection = namesDatabase(options) ? connectionOf(options) : undefined;
  const checks = await doctor({
    ...(connection === undefined ? {} : { connection: async () => connection }),
    ...(namesVault(options) ? { vault: () => doctorVault(options) } : {}),
    now: () => new Date(),
  });
  const hasProblem = checks.some(({ status }) => status === 'problem');
  if (hasProblem) setExitCode(exitCodes.failed);
  if (options.json) printJson({ verdict: hasProblem ? 'problem' : 'good', checks });
  else print(describeChecks(checks));
}

async function doctorVault(options: VaultOptions): Promise<DoctorVault> {
  const { root, marker, vault, workspace } = await openVaultOf(options);
  return {
    vault,
    workspace,
    marker,
    keyRing: async ({ vaultId }) =>
      openLocalKeyRing(
        await loadKeyFile(namedKeyFile(options) ?? defaultKeyFilePath(vaultId, process.env)),
      ),
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(root);
      return bavail * bsize;
    },
    folderMode: async () => (await stat(root)).mode & 0o777,
  };
}

const marks = { ok: 'ok     ', warning: 'WARNING', problem: 'PROBLEM' } as const;

function describeChecks(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ status, title, detail, hint }) => [
    `${marks[status]}  ${title}: ${printable(detail)}`,
    ...(hint === null ? [] : [`         What to do: ${printable(hint)}`]),
  ]);
  const count = (wanted: Check['status']) =>
    checks.filter(({ status }) => status === wanted).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const sum =
    problems + warnings === 0
      ? 'All is well.'
      : `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`;
  return [...lines, '', sum].join('\n');
}
