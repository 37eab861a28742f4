/** Extensions in the version of the source where the target has it; pg_dump writes none, which means the server's default. */
import type { Inventory } from '../../contract/manifest.ts';
import type { Session } from '../../postgres/session.ts';
import type { SchemaEntry } from '../../schema/split-entries.ts';
import { literal } from '../../schema/sql-text.ts';

export async function withExtensionVersions(
  session: Session,
  entries: readonly SchemaEntry[],
  extensions: Inventory['extensions'],
): Promise<SchemaEntry[]> {
  const rows = await session.query<{ name: string; version: string }>(
    `SELECT name, version FROM pg_catalog.pg_available_extension_versions WHERE name = ANY ($1)`,
    [extensions.map(({ name }) => name)],
  );
  const available = new Set(rows.map(({ name, version }) => JSON.stringify([name, version])));
  const wanted = new Map(extensions.map(({ name, version }) => [name, version]));
  return entries.map((entry) => {
    const version = wanted.get(entry.name);
    if (entry.type !== 'EXTENSION' || version === undefined) return entry;
    if (!available.has(JSON.stringify([entry.name, version]))) return entry;
    const statements = entry.statements.map((statement) =>
      statement.startsWith('CREATE EXTENSION ')
        ? `${statement} VERSION ${literal(version)}`
        : statement,
    );
    return { ...entry, statements };
  });
}
