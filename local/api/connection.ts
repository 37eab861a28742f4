/** What the programmatic API takes for a database: settings, or a URL as the command line takes it. */
import { homedir } from 'node:os';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { resolveConnection } from '../connection/resolve-connection.ts';

/** A URL leaves what it does not say to PG* variables, `.pgpass` and defaults, as in libpq; DATABASE_URL is not read. */
export type DatabaseReference = string | ConnectionSettings;

/** @throws UsageError, ConfigurationError */
export function connectionOf(reference: DatabaseReference): ConnectionSettings {
  if (typeof reference !== 'string') return reference;
  return resolveConnection({ url: reference, env: process.env, home: homedir() });
}
