/** Databases of the shared server, by its superuser: made under names of their own, asked, dropped. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export const unique = (name: string): string => `${name}_${randomBytes(4).toString('hex')}`;

export function urlOf(database: string): string {
  const { port, password } = inject('postgres');
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Rows of one statement, in any database. */
export async function onServer<T extends object>(
  database: string,
  sql: string,
  values?: unknown[],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: urlOf(database) });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Those of the names that there are. */
export async function databases(names: readonly (string | null)[]): Promise<string[]> {
  const rows = await onServer<{ name: string }>(
    'postgres',
    'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1) ORDER BY 1',
    [names],
  );
  return rows.map(({ name }) => name);
}

export async function dropDatabases(names: readonly (string | null)[]): Promise<void> {
  for (const name of await databases(names)) {
    await onServer('postgres', `DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  }
}
