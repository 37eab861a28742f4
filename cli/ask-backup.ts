/** The questions of a `holdfast backup` without arguments, on a terminal. */
import * as prompts from '@clack/prompts';
import { answered, askVault, output, required } from './ask.ts';
import { namesDatabase } from './connect.ts';
import type { FilterOptions } from './options.ts';

export interface Answers extends FilterOptions {
  readonly vault: string;
  readonly database?: string;
}

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
