/** Tablespaces are places on the disks of one server: where the target has none of that name, its default takes over. */
import type { Session } from '../../postgres/session.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { identifier } from '../../schema/sql-text.ts';

/** As `splitEntries` writes it before each entry that needs it. */
const setting = /^SET default_tablespace = (?!'')(.*)$/s;

export async function withKnownTablespaces(
  session: Session,
  entries: readonly SchemaEntry[],
): Promise<SchemaEntry[]> {
  const rows = await session.query<{ name: string }>(
    'SELECT spcname AS name FROM pg_catalog.pg_tablespace',
  );
  const known = new Set(rows.flatMap(({ name }) => [name, identifier(name)]));
  const adapted = (statement: string) => {
    const name = setting.exec(statement)?.[1];
    return name === undefined || known.has(name) ? statement : "SET default_tablespace = ''";
  };
  return entries.map((entry) => ({ ...entry, statements: entry.statements.map(adapted) }));
}
