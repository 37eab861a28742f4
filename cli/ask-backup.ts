/** The questions of a `holdfast backup` without arguments, on a terminal. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as prompts from '@clack/prompts';
import { envNames } from '../core/contract/env.ts';
import { HoldfastError } from '../core/contract/errors.ts';
import { vaultKeys } from '../core/vault/keys.ts';
import { namesDatabase } from './connect.ts';
import type { FilterOptions } from './options.ts';

export interface Answers extends FilterOptions {
  readonly vault: string;
  readonly database?: string;
}

/** Results go to stdout, questions do not. */
const output = process.stderr;

/** @throws UsageError when the person leaves with Ctrl-C or Escape */
export async function askBackup(): Promise<Answers> {
  prompts.intro('Back a database up', { output });
  const vault = await askVault();
  const database = namesDatabase({}) ? await askNamedDatabase() : await askDatabase();
  const what = answered(
    await prompts.select({
      message: 'What of it?',
      output,
      options: [
        { value: 'all', label: 'Everything', hint: 'a full backup' },
        { value: 'schema', label: 'Some schemas', hint: 'a partial backup' },
        { value: 'definitions', label: 'Definitions without rows', hint: 'a partial backup' },
      ],
    }),
  );
  const schemas = what === 'schema' ? await askSchemas() : undefined;
  prompts.outro('Starting.', { output });
  return {
    vault,
    ...(database === undefined ? {} : { database }),
    ...(schemas === undefined ? {} : { schema: schemas }),
    ...(what === 'definitions' ? { schemaOnly: true } : {}),
  };
}

async function askVault(): Promise<string> {
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

/** The environment names one, which is not shown: it may hold a password. */
async function askNamedDatabase(): Promise<string | undefined> {
  const isWanted = answered(
    await prompts.confirm({ message: 'Use the database that the environment names?', output }),
  );
  return isWanted ? undefined : askDatabase();
}

async function askDatabase(): Promise<string> {
  return answered(
    await prompts.text({
      message: 'Which database? (a password is better kept in PGPASSWORD or ~/.pgpass)',
      output,
      placeholder: 'postgresql://user@localhost:5432/shop',
      validate: required,
    }),
  );
}

async function askSchemas(): Promise<string[]> {
  const text = answered(
    await prompts.text({
      message: 'Which schemas? (patterns as in pg_dump, separated by blanks)',
      output,
      placeholder: 'public sales_*',
      validate: required,
    }),
  );
  return text.trim().split(/\s+/);
}

const required = (value: string | undefined): string | undefined =>
  value?.trim() ? undefined : 'An answer is needed.';

const isVault = (folder: string): Promise<boolean> =>
  stat(join(folder, vaultKeys.marker)).then(
    () => true,
    () => false,
  );

function answered<T>(answer: T): Exclude<T, symbol> {
  if (!prompts.isCancel(answer)) return answer as Exclude<T, symbol>;
  prompts.cancel('Nothing was done.', { output });
  throw new HoldfastError('UsageError', 'The questions were not answered to the end.', {
    hint: 'Run it again, or give --vault DIR and --database URL.',
  });
}
