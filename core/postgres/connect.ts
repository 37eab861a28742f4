/**
 * One node-postgres client, connected as `sslMode` says, with nothing taken from the environment.
 *
 * Invariant: modes mean what they mean in libpq: `prefer` and `allow` fall back, `require` does not look at the
 * certificate unless a root certificate is given, `verify-ca` looks at its chain, `verify-full` at the host name too.
 */
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { mapPgError, sqlstateOf } from './connect-errors.ts';
import type { ConnectionSettings } from './connection.ts';
import { createDirectSocket } from './direct-socket.ts';
import { internalsOf } from './pg-internals.ts';

export interface ConnectedClient {
  readonly client: pg.Client;
  /** ParameterStatus: as the server told them at start-up and after each change since. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `user@host:port/database`: for messages; never holds a secret. */
export function describeTarget(settings: ConnectionSettings): string {
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return `${settings.user}@${host}:${settings.port}/${settings.database}`;
}

/** One entry per attempt, in order: TLS options, or false for plain text. */
function attemptsOf(settings: ConnectionSettings): readonly (ConnectionOptions | false)[] {
  // As in libpq: never TLS on a Unix socket.
  if (settings.host.startsWith('/')) return [false];
  const hasRoot = settings.tls.ca !== undefined;
  const unverified: ConnectionOptions = { ...settings.tls, rejectUnauthorized: false };
  const chainOnly: ConnectionOptions = {
    ...settings.tls,
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
  };
  switch (settings.sslMode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return [unverified, false];
    case 'require':
      return [hasRoot ? chainOnly : unverified];
    case 'verify-ca':
      return [chainOnly];
    case 'verify-full':
      return [{ ...settings.tls, rejectUnauthorized: true }];
  }
}

/** Only what the other kind of connection may cure is tried again. */
function mayFallBack(error: unknown): boolean {
  return isHoldfastError(error, 'TlsError') || sqlstateOf(error) === '28000';
}

/** @throws SourceUnreachableError, AuthenticationFailedError, DatabaseNotFoundError, TooManyConnectionsError, TlsError */
export async function connectClient(
  settings: ConnectionSettings,
  applicationName: string,
): Promise<ConnectedClient> {
  const attempts = attemptsOf(settings);
  let failure: unknown;
  for (const ssl of attempts) {
    try {
      return await connectOnce(settings, applicationName, ssl);
    } catch (error) {
      // When both ways are refused by pg_hba.conf, encryption is not what is missing.
      const isRefusedBothWays = sqlstateOf(failure) === '28000' && sqlstateOf(error) === '28000';
      failure = isRefusedBothWays
        ? new HoldfastError('AuthenticationFailedError', (error as Error).message, { cause: error })
        : error;
      if (!mayFallBack(error)) break;
    }
  }
  throw withHint(failure, settings);
}

/** The catalogue speaks of URLs and files; a login that is kept elsewhere is mended there. */
function withHint(failure: unknown, { hints }: ConnectionSettings): unknown {
  const hint = isHoldfastError(failure) ? hints?.[failure.name] : undefined;
  if (!isHoldfastError(failure) || hint === undefined) return failure;
  const { name, message, evidence } = failure;
  return new HoldfastError(name, message, { hint, evidence, cause: failure });
}

async function connectOnce(
  settings: ConnectionSettings,
  applicationName: string,
  ssl: ConnectionOptions | false,
): Promise<ConnectedClient> {
  const what = `Connecting to ${describeTarget(settings)}`;
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    ssl,
    // TLS decrypts into memory of its own.
    ...(ssl === false ? { stream: createDirectSocket } : {}),
    sslnegotiation: 'postgres',
    application_name: applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // Called only when the server asks for a password.
    password: async () => {
      const password = await settings.password();
      if (password !== undefined && password !== '') return password;
      throw new HoldfastError(
        'AuthenticationFailedError',
        `${what}: the server asks for a password and none was given.`,
      );
    },
  });
  // node-postgres would take these two from PGOPTIONS and PGREPLICATION.
  const { connection, connectionParameters } = internalsOf(client);
  Object.assign(connectionParameters, { options: undefined, replication: undefined });
  client.on('error', () => {
    // A failed call says it; an 'error' event that nobody hears would end the process.
  });
  const parameters = new Map<string, string>();
  connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  try {
    await client.connect();
    return { client, parameters };
  } catch (error) {
    connection.stream.destroy();
    const reason = /timeout expired/.test(String(error))
      ? new Error(`no answer within ${settings.connectTimeoutMs} ms (timeout expired)`)
      : error;
    throw mapPgError(reason, what, 'connecting');
  }
}
