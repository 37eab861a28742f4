/** Whatever replaces or drops is asked for: on a terminal by a question, elsewhere by --yes. */
import * as prompts from '@clack/prompts';
import { HoldfastError } from '../core/contract/errors.ts';
import { maskSecrets } from '../core/mask-secrets.ts';
import { printable } from './output/format.ts';

export const isTerminal = (): boolean =>
  process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * @param what a sentence that says what will be gone or replaced, and what is kept
 * @throws UsageError without --yes where nobody can be asked, and when the answer is no
 */
export async function confirmed(what: string, options: { readonly yes?: boolean }): Promise<void> {
  if (options.yes) return;
  if (!isTerminal()) {
    throw new HoldfastError('UsageError', `${what} Nobody is there to be asked.`, {
      hint: 'Nothing was done. Run it on a terminal, or say --yes.',
    });
  }
  const answer = await prompts.confirm({
    message: maskSecrets(printable(what)),
    initialValue: false,
    output: process.stderr,
  });
  if (answer === true) return;
  throw new HoldfastError('UsageError', 'Not confirmed.', { hint: 'Nothing was done.' });
}
