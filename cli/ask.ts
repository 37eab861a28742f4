/** What all questions on a terminal have in common: where they go, how leaving them is told, and which vault. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as prompts from '@clack/prompts';
import { envNames } from '../core/contract/env.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { vaultKeys } from '../core/vault/keys.ts';

/** Results go to stdout, questions do not. */
export const output = process.stderr;

export async function askVault(): Promise<string> {
  const known = process.env[envNames.vault];
  const folder = answered(
    await prompts.text({
      message: 'Which vault? (a folder that `holdfast init` made)',
      output,
      ...(known ? { initialValue: known } : { placeholder: '/backups/shop' }),
      validate: required,
    }),
  );
  // Said now, before two more questions are asked in vain.
  if (await isVault(folder)) return folder;
  throw new HoldfastError('VaultNotFoundError', `${folder} is not a vault.`, {
    hint: `Make it first: holdfast init --vault ${folder}`,
  });
}

export const required = (value: string | undefined): string | undefined =>
  value?.trim() ? undefined : 'An answer is needed.';

const isVault = (folder: string): Promise<boolean> =>
  stat(join(folder, vaultKeys.marker)).then(
    () => true,
    () => false,
  );

/** @throws UsageError when the person has left */
export function answered<T>(answer: T): Exclude<T, symbol> {
  if (!prompts.isCancel(answer)) return answer as Exclude<T, symbol>;
  prompts.cancel('Nothing was done.', { output });
  throw new HoldfastError('UsageError', 'The questions were not answered to the end.', {
    hint: 'Run it again, or give the options; see --help.',
  });
}
