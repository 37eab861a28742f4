/** Names of sources: what backups of a database are filed under. */
import { HoldfastError } from '../core/contract/errors.ts';
import { slugOf, withHash } from '../core/run/source-slug.ts';

export { slugOf } from '../core/run/source-slug.ts';

const allowed = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** @throws UsageError for a --source that cannot be one */
export function checkedSourceName(name: string): string {
  if (allowed.test(name)) return name;
  throw new HoldfastError('UsageError', `--source ${JSON.stringify(name)} is not a source name.`, {
    hint: 'Use 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit.',
  });
}

/** One name for each database; those whose slugs are alike are told apart by a hash. `prefix`: a --source given. */
export function sourceNames(databases: readonly string[], prefix?: string): Map<string, string> {
  const nameOf = (database: string) =>
    prefix === undefined ? slugOf(database) : slugOf(`${prefix}-${slugOf(database)}`);
  const count = new Map<string, number>();
  for (const database of databases) {
    count.set(nameOf(database), (count.get(nameOf(database)) ?? 0) + 1);
  }
  return new Map(
    databases.map((database) => {
      const name = nameOf(database);
      const isAlone = count.get(name) === 1;
      return [database, isAlone ? name : withHash(name, database)];
    }),
  );
}
