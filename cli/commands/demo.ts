/** `holdfast demo`: the whole story on a PostgreSQL of its own. */
import { Command } from 'commander';
import { HoldfastError } from '../../core/contract/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { addJson } from '../options.ts';
import { openProgress } from '../output/progress.ts';
import { print, printJson, printLine } from '../output/streams.ts';
import type { SetExitCode } from '../program.ts';

export function demoCommand(setExitCode: SetExitCode): Command {
  const command = new Command('demo')
    .description(
      'See it work: a PostgreSQL and a shop of its own, backed up, lost, brought back, proven, damaged, found out.',
    )
    .addHelpText(
      'after',
      `
Takes about a minute, needs nothing but npm packages, touches no database of yours and leaves nothing behind but
one report, whose path it prints.

Examples:
  holdfast demo
  npm run demo`,
    )
    .action((options: { readonly json?: boolean }) => demo(options.json === true, setExitCode));
  return addJson(command);
}

async function demo(isJson: boolean, setExitCode: SetExitCode): Promise<void> {
  // Loaded here: a production install without the embedded server has all other commands.
  const { runDemo } = await import('../../local/demo/run-demo.ts');
  using interruption = onInterrupt(printLine);
  const result = await runDemo({
    say: isJson ? printLine : print,
    openProgress,
    signal: interruption.signal,
  });
  if (isJson) printJson(result);
  if (result.isAsExpected) return;
  setExitCode(exitCodes.failed);
  throw new HoldfastError('InternalError', `The demo did not go as it must: ${result.unexpected}.`);
}
