/**
 * Runs one command line and ends the process with its exit code; the one place where errors become text.
 *
 * Invariant: with --json, stdout is exactly one JSON document, also when something fails.
 */
import { type Command, CommanderError } from 'commander';
import { HoldfastError } from '../core/contract/errors.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { renderError } from './output/errors.ts';
import { flushOutput, ignoreClosedPipe, printJson, printLine } from './output/streams.ts';
import { makeProgram } from './program.ts';

export async function main(argv: readonly string[]): Promise<never> {
  ignoreClosedPipe();
  const code = await run(argv);
  await flushOutput();
  process.exit(code);
}

async function run(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.good;
  const program = makeProgram((outcome) => {
    code = outcome;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.good;
    // What follows -- belongs to the command that is guarded.
    const end = argv.indexOf('--');
    const own = end === -1 ? argv : argv.slice(0, end);
    return report(asHoldfastError(error, commandOf(program, argv)), own.includes('--json'));
  }
}

function report(error: unknown, isJson: boolean): ExitCode {
  const rendered = renderError(error);
  printLine(rendered.text);
  if (isJson) printJson({ error: rendered.json });
  return exitCodeOf(error);
}

/** What commander finds wrong with a command line is a UsageError with the suggestion that it made. */
function asHoldfastError(error: unknown, command: string): unknown {
  if (!(error instanceof CommanderError)) return error;
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest
    .join(' ')
    .trim()
    .replace(/^\((.*)\)$/, '$1');
  const message = first === '(outputHelp)' ? 'no command was given' : first;
  const hint = `${suggestion === '' ? '' : `${suggestion} `}See \`${command} --help\`.`;
  return new HoldfastError('UsageError', `${capitalised(message)}.`, { hint });
}

const commandOf = ({ commands }: Command, [first]: readonly string[]): string =>
  commands.some((command) => command.name() === first) ? `holdfast ${first}` : 'holdfast';

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
