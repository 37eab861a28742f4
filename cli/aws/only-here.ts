/**
 * Options and commands that have no meaning on AWS, or none without it: refused before anything is started, never ignored.
 */
import type { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';

const storage = 'a deployment has a vault and keys of its own';
const connection = "the environment's file says how each source and target is reached";
const noShell = 'there is no shell in Lambda; checks with SQL (--check) work there';

/** By the option's name in commander: how it is written, and why not. */
const onlyHere: Readonly<Record<string, readonly [string, string]>> = {
  vault: ['--vault', storage],
  key: ['--key', storage],
  database: ['--database', connection],
  allDatabases: ['--all-databases', 'each source of the environment is one database: name it'],
  checkCommand: ['--check-command', noShell],
  beforeCutover: ['--before-cutover', noShell],
  afterCutover: ['--after-cutover', noShell],
};

/** @throws UsageError for the first option that was said and means nothing with --env */
export function refuseOnlyHere(command: Command): void {
  for (const [name, [flag, why]] of Object.entries(onlyHere)) {
    if (!isSaid(command, name)) continue;
    throw new HoldfastError('UsageError', `${flag} does not go with --env: ${why}.`, {
      hint: `Leave ${flag} out, or leave --env out to work on this machine. Nothing was started.`,
    });
  }
}

/** @throws UsageError for what only a deployment has */
export function refuseOnlyOnAws(command: Command): void {
  if (!isSaid(command, 'detach')) return;
  throw new HoldfastError('UsageError', '--detach goes with --env: here a run ends with us.', {
    hint: 'Leave it out, or name a deployment on AWS with --env NAME.',
  });
}

/** By the person, not by a default. */
export const isSaid = (command: Command, option: string): boolean =>
  command.getOptionValueSource(option) === 'cli';

const here = 'It is for a vault and a server of this machine.';

/** Commands without a meaning on AWS, and what to do instead. */
const refusedCommands: Readonly<Record<string, string>> = {
  init: 'A deployment makes its vault itself: npx cdk deploy --all -c env=NAME.',
  demo: 'The demo runs on this machine alone: leave --env out.',
  guard: `${here} On AWS: holdfast --env NAME backup SOURCE before the command, holdfast --env NAME restore --mode swap after it if it must be.`,
  rollback: `${here} On AWS the replaced database waits under the name in the report: docs/deploy.md, section 10, has the three statements.`,
  upgrade: `${here} There is one format yet, so there is nothing to upgrade.`,
  doctor: `${here} For a server of RDS: holdfast doctor --db-instance ID --region REGION. Every backup and restore on AWS begins with the same questions.`,
};

/** @throws UsageError for a command that knows no deployment */
export function refuseCommand(command: Command): void {
  const hint = refusedCommands[command.name()];
  if (hint === undefined) return;
  throw new HoldfastError('UsageError', `${command.name()} does not go with --env.`, { hint });
}
