/**
 * From `--target` (or RESTORE_DATABASE_URL) to the server that is restored to.
 *
 * Invariant: DATABASE_URL, which names what is backed up, is never taken for a target.
 */
import { homedir } from 'node:os';
import type { Command } from 'commander';
import { envNames } from '../core/contract/env.ts';
import { HoldfastError, isHoldfastError } from '../core/contract/errors.ts';
import type { RestoreMode } from '../core/contract/restore.ts';
import type { ConnectionSettings } from '../core/postgres/connection.ts';
import { openSession } from '../core/postgres/session.ts';
import { parseConnectionString } from '../local/connection/connection-string.ts';
import { resolveConnection } from '../local/connection/resolve-connection.ts';
import { printLine } from './output/streams.ts';

export interface TargetOptions {
  readonly target?: string;
}

/** The name under which a run knows the target's connection. */
export const targetName = 'target';

/** Every server has it, and nothing of anybody's is in it: where databases are created and renamed from. */
const maintenanceDatabase = 'postgres';

export const addTarget = (command: Command): Command =>
  command.option(
    '--target <url>',
    `server to restore to: postgresql://user@host:port (or ${envNames.restoreDatabase}); with --env the name of a target`,
  );

/** `||`: an option or variable that is set to nothing counts as not named. */
const namedTarget = (options: TargetOptions): string | undefined =>
  options.target || process.env[envNames.restoreDatabase] || undefined;

export const namesTarget = (options: TargetOptions): boolean => namedTarget(options) !== undefined;

/** @returns the connection; its database is the one that the URL names, or `postgres` */
export function targetConnectionOf(options: TargetOptions): ConnectionSettings {
  const url = namedTarget(options);
  if (url === undefined) {
    throw new HoldfastError('UsageError', 'No target was named.', {
      hint: `Give --target postgresql://user@host:port or set ${envNames.restoreDatabase}.`,
    });
  }
  const { [envNames.database]: _, PGDATABASE: __, ...env } = process.env;
  const settings = resolveConnection({ url, env, home: homedir(), warn: printLine });
  const isNamed = parseConnectionString(url).has('dbname');
  return isNamed ? settings : maintenanceOf(settings);
}

export const maintenanceOf = (connection: ConnectionSettings): ConnectionSettings => ({
  ...connection,
  database: maintenanceDatabase,
});

export interface Target {
  /** Its database is one from which others can be created and renamed. */
  readonly connection: ConnectionSettings;
  /** What to create, replace or write into; absent when neither --name nor the URL says it. */
  readonly database?: string;
}

/**
 * A URL that names a database means that one: to replace it (`swap`), to write into it (`into`), and when it is not there
 * yet, to create it (`new`).
 */
export async function targetOf(
  options: TargetOptions,
  mode: RestoreMode,
  name: string | undefined,
): Promise<Target> {
  const connection = targetConnectionOf(options);
  const isOwn = connection.database !== maintenanceDatabase;
  const beside = maintenanceOf(connection);
  switch (mode) {
    case 'swap': {
      const database = name ?? (isOwn ? connection.database : undefined);
      const mustMove = database === connection.database;
      return { connection: mustMove ? beside : connection, ...optional(database) };
    }
    case 'into':
      return { connection, ...optional(name ?? (isOwn ? connection.database : undefined)) };
    case 'new': {
      if (await isThere(connection)) return { connection, ...optional(name) };
      return { connection: beside, database: name ?? connection.database };
    }
  }
}

const optional = (database: string | undefined) => (database === undefined ? {} : { database });

/** What else is wrong with the server is for the preflight to say. */
async function isThere(connection: ConnectionSettings): Promise<boolean> {
  if (connection.database === maintenanceDatabase) return true;
  try {
    const options = { applicationName: 'holdfast/target', purpose: 'control' } as const;
    const session = await openSession(connection, options);
    await session.close();
    return true;
  } catch (error) {
    return !isHoldfastError(error, 'DatabaseNotFoundError');
  }
}
