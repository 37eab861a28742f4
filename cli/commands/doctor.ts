/** `holdfast doctor`: what would go wrong, before the worst day. */
import { stat, statfs } from 'node:fs/promises';
import { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
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
import { describeChecks } from '../output/describe-checks.ts';
import { print, printJson } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';
import { addRds, type RdsOptions, rdsClients, rdsQuestion, regionOf } from '../rds.ts';

type DoctorOptions = VaultOptions & DatabaseOptions & RdsOptions;

export function doctorCommand(setExitCode: SetExitCode): Command {
  const command = new Command('doctor')
    .description(
      'Say before the worst day what would go wrong: server, rights, locks, vault, key, RDS.',
    )
    .addHelpText(
      'after',
      `
Examples:
  holdfast doctor --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast doctor --database postgresql://app@localhost/shop
  holdfast doctor --vault /backups/shop --json
  holdfast doctor --db-instance shop --region eu-central-1 --function-security-group sg-0123456789abcdef0

Changes nothing. Exit code 1 when there is a problem; warnings alone are 0.`,
    )
    .action((options: DoctorOptions) => examine(options, setExitCode));
  return addJson(addRds(addDatabase(addKey(addVault(command)))));
}

async function examine(options: DoctorOptions, setExitCode: SetExitCode): Promise<void> {
  const question = rdsQuestion(options, new Date());
  if (!namesVault(options) && !namesDatabase(options) && question === undefined) {
    throw new HoldfastError('UsageError', 'Nothing to look at was named.', {
      hint: 'Give --vault DIR, --database URL, or both; --db-instance ID for a server of RDS.',
    });
  }
  // Wrong use of the command line is no finding about the server.
  const connection = namesDatabase(options) ? connectionOf(options) : undefined;
  const region = question === undefined ? undefined : regionOf(options);
  const checks = await doctor({
    ...(connection === undefined ? {} : { connection: async () => connection }),
    ...(namesVault(options) ? { vault: () => doctorVault(options) } : {}),
    now: () => new Date(),
  });
  if (question !== undefined && region !== undefined) {
    // With the SDK, which is large, loaded only for those who ask.
    const { rdsDoctor } = await import('../../aws/doctor/rds-doctor.ts');
    checks.push(...(await rdsDoctor(await rdsClients(region), question)));
  }
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
