/** The command line as a whole: what commands there are and how wrong use is answered. */
import { Command } from 'commander';
import { HoldfastError } from '../core/contract/errors.ts';
import { holdfastVersion } from '../local/version.ts';
import { refuseCommand } from './aws/only-here.ts';
import { backupCommand } from './commands/backup.ts';
import { cancelCommand } from './commands/cancel.ts';
import { compareCommand } from './commands/compare.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drillCommand } from './commands/drill.ts';
import { followCommand } from './commands/follow.ts';
import { guardCommand } from './commands/guard.ts';
import { initCommand } from './commands/init.ts';
import { listCommand } from './commands/list.ts';
import { reportCommand } from './commands/report.ts';
import { restoreCommand } from './commands/restore.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { showCommand } from './commands/show.ts';
import { statusCommand } from './commands/status.ts';
import { vaultCommand } from './commands/vault.ts';
import { verifyCommand } from './commands/verify.ts';
import type { EnvironmentOptions } from './environment-file.ts';

/** What a command calls to end with another exit code than 0 without an error: `exitCodes`, or a command's own (guard). */
export type SetExitCode = (code: number) => void;

const examples = `
Examples:
  holdfast init --vault /backups/shop
  holdfast backup --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast list --vault /backups/shop
  holdfast status --vault /backups/shop --rpo 26h
  holdfast verify latest --vault /backups/shop
  holdfast restore --vault /backups/shop --target postgresql://admin@localhost --name shop_copy
  holdfast drill latest --vault /backups/shop --target postgresql://admin@localhost
  holdfast report latest --vault /backups/shop
  holdfast doctor --vault /backups/shop --database postgresql://app@localhost/shop
  holdfast demo

On AWS, where environments/prod.json says what was deployed (docs/deploy.md):
  holdfast --env prod backup shop
  holdfast --env prod status
  holdfast --env prod drill --source shop

Exit codes: 0 good, 1 failed, 2 wrong use, 3 a verdict of "damaged" or "different", an objective not met.
Each command has examples of its own: holdfast COMMAND --help`;

export function makeProgram(setExitCode: SetExitCode): Command {
  const program = new Command('holdfast')
    .description('Back PostgreSQL up, prove that the backup is whole, and restore it.')
    .version(holdfastVersion(), '-V, --version', 'print the version of Holdfast')
    .option('--env <name>', 'the deployment on AWS that environments/NAME.json describes')
    .option('--dr', 'with --env: the other Region, where the replica is')
    .addHelpText('after', examples)
    // Said before or after the name of the command, they are options of the command.
    .hook('preAction', (whole, command) => {
      const { env, dr } = whole.opts<EnvironmentOptions>();
      if (env !== undefined) {
        refuseCommand(command);
        command.setOptionValue('env', env);
      } else if (dr) {
        throw new HoldfastError(
          'UsageError',
          '--dr goes with --env: it is the other Region of a deployment.',
        );
      }
      if (dr !== undefined) command.setOptionValue('dr', dr);
    });
  const commands = [
    initCommand(),
    backupCommand(setExitCode),
    listCommand(setExitCode),
    showCommand(),
    statusCommand(setExitCode),
    verifyCommand(setExitCode),
    restoreCommand(setExitCode),
    rollbackCommand(),
    drillCommand(setExitCode),
    followCommand(setExitCode),
    reportCommand(),
    cancelCommand(setExitCode),
    compareCommand(setExitCode),
    guardCommand(setExitCode),
    vaultCommand(),
    doctorCommand(setExitCode),
    demoCommand(setExitCode),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...commands.flatMap((each) => each.commands)]) {
    // Errors are rendered in one place (main.ts), and as JSON when that was asked for.
    command
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .showSuggestionAfterError(true)
      .allowExcessArguments(false);
  }
  return program;
}
