/** From the options of a command line (and the environment) to a database. */
import { homedir } from 'node:os';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { openSession } from '../core/postgres/session.ts';
import {
  isDatabaseNamed,
  type ResolveInput,
  resolveConnection,
} from '../local/connection/resolve-connection.ts';
import type { DatabaseOptions } from './options.ts';
import { printLine } from './output/streams.ts';

const inputOf = (options: DatabaseOptions): ResolveInput => ({
  url: options.database,
  env: process.env,
  home: homedir(),
  warn: printLine,
});

export const namesDatabase = (options: DatabaseOptions): boolean =>
  isDatabaseNamed(inputOf(options));

/** @throws UsageError when no database is named or the string cannot be read; ConfigurationError */
export const connectionOf = (options: DatabaseOptions): ConnectionSettings =>
  resolveConnection(inputOf(options));

/** Where RDS, Cloud SQL and Azure keep their own things: nobody else may connect. */
const providerDatabases = ['rdsadmin', 'cloudsqladmin', 'azure_maintenance', 'azure_sys'];

/**
 * Databases that a backup of the whole server holds: templates, those that refuse connections, and the provider's own
 * are left out.
 */
export async function databasesOf(settings: ConnectionSettings): Promise<string[]> {
  const session = await openSession(settings, {
    applicationName: 'holdfast/list-databases',
    purpose: 'control',
  });
  try {
    const rows = await session.query<{ name: string }>(
      `SELECT datname AS name FROM pg_catalog.pg_database
        WHERE datallowconn AND NOT datistemplate AND datname <> ALL ($1)
        ORDER BY datname COLLATE "C"`,
      [providerDatabases],
    );
    return rows.map(({ name }) => name);
  } finally {
    await session.close();
  }
}
