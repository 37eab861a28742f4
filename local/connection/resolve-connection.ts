/**
 * From what a person wrote to ConnectionSettings: `--database`, else DATABASE_URL; what these leave open comes from
 * the PG* variables, then `.pgpass`, then defaults, as in libpq.
 *
 * Invariant: no password in any message.
 */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { envNames } from '../../core/contract/env.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import { describeTarget } from '../../core/postgres/connect.ts';
import type { ConnectionSettings, SslMode } from '../../core/postgres/connection.ts';
import { parseConnectionString } from './connection-string.ts';
import { passwordFromFile } from './password-file.ts';
import { readTlsFiles } from './tls-files.ts';

export interface ResolveInput {
  /** The value of `--database`. */
  readonly url?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home folder: `.pgpass` and `.postgresql/`. */
  readonly home: string;
  /** Hears of what is not used, e.g. a `.pgpass` that others can read. */
  readonly warn?: (message: string) => void;
}

const sslModes: readonly SslMode[] = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
];

const environment: Readonly<Record<string, string>> = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGPASSFILE: 'passfile',
  PGSSLMODE: 'sslmode',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGCONNECT_TIMEOUT: 'connect_timeout',
};
const used = new Set(Object.values(environment));

/** Known to libpq and without a meaning here: sessions have their own name, encoding and keepalives. */
const withoutEffect = new Set([
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'gssencmode',
  'channel_binding',
]);

function gather(input: ResolveInput): Map<string, string> {
  const text = input.url ?? input.env[envNames.database];
  const given =
    text === undefined || text === '' ? new Map<string, string>() : parseConnectionString(text);
  for (const [name, value] of given) {
    if (!used.has(name) && !withoutEffect.has(name)) {
      throw new HoldfastError(
        'UsageError',
        `The connection string has the unknown parameter "${name}".`,
        {
          hint: `Allowed are ${[...used].join(', ')}.`,
        },
      );
    }
    if (name === 'channel_binding' && value === 'require') {
      input.warn?.(
        'channel_binding=require is not supported and not used; sslmode=verify-full protects as well.',
      );
    }
  }
  if (given.size === 0 && input.env['PGSERVICE'] !== undefined) {
    throw new HoldfastError(
      'UsageError',
      'PGSERVICE is set, and service files are not supported.',
      {
        hint: 'Name the database with --database or PGHOST, PGDATABASE and PGUSER.',
      },
    );
  }
  const parameters = new Map(given);
  for (const [variable, name] of Object.entries(environment)) {
    const value = input.env[variable];
    if (value !== undefined && value !== '' && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  // Only digits are quoted: anything else may be a part of a password that was split wrongly.
  const got = /^-?\d+$/.test(text) ? text : 'something that is not a whole number';
  throw new HoldfastError('UsageError', `${name} is ${got}; allowed is ${least} to ${most}.`);
}

function sslModeOf(text: string): SslMode {
  const mode = sslModes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw new HoldfastError(
    'UsageError',
    `sslmode is "${text}"; allowed are ${sslModes.join(', ')}.`,
  );
}

/** Whether anything names a database; without it the CLI asks or explains. */
export function isDatabaseNamed({ url, env }: ResolveInput): boolean {
  return [url, env[envNames.database], env['PGHOST'], env['PGDATABASE']].some(
    (value) => value !== undefined && value !== '',
  );
}

/** @throws UsageError, ConfigurationError */
export function resolveConnection(input: ResolveInput): ConnectionSettings {
  const parameters = gather(input);
  if (!isDatabaseNamed(input)) {
    throw new HoldfastError('UsageError', 'No database was named.', {
      hint: 'Use --database postgresql://user@host/database, DATABASE_URL, or PGHOST, PGDATABASE and PGUSER.',
    });
  }
  const host = parameters.get('host') ?? 'localhost';
  if (host.includes(',')) {
    throw new HoldfastError('UsageError', 'Several hosts are named; allowed is one.', {
      hint: 'Name the primary server.',
    });
  }
  const user = parameters.get('user') ?? userInfo().username;
  const database = parameters.get('dbname') ?? user;
  const port = wholeNumber('port', parameters.get('port') ?? '5432', 1, 65_535);
  const sslMode = sslModeOf(parameters.get('sslmode') ?? 'prefer');
  const password =
    parameters.get('password') ??
    passwordFromFile(
      parameters.get('passfile') ?? join(input.home, '.pgpass'),
      { host, port, database, user },
      input.warn ?? (() => undefined),
    );
  return {
    host,
    port,
    database,
    user,
    password: async () => password,
    sslMode,
    tls: readTlsFiles(parameters, sslMode, input.home),
    // libpq waits for ever by default; a backup that hangs at night helps nobody. 0 still means for ever.
    connectTimeoutMs:
      1000 * wholeNumber('connect_timeout', parameters.get('connect_timeout') ?? '10', 0, 86_400),
  };
}

/** `user@host:port/database`, without secrets. */
export const describe = describeTarget;
