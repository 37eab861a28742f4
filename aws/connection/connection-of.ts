/**
 * How to reach a source or target by its name: its parameter says where the login is, RDS says where the server is.
 *
 * Invariant: what is given out is never older than a minute, the password is asked for at each connection (secrets
 * rotate, tokens live 15 minutes), and no message holds a secret.
 */
import type { RDSClient } from '@aws-sdk/client-rds';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { ConnectionReference, SourceParameter } from '../../core/contract/environment.ts';
import { HoldfastError } from '../../core/contract/errors.ts';
import type { Warning } from '../../core/contract/manifest.ts';
import type { ConnectionSettings } from '../../core/postgres/connection.ts';
import { rdsAuthorities } from './authorities.ts';
import { iamToken } from './iam-token.ts';
import { parametersOf } from './parameters.ts';
import { findRdsServer, type RdsServer } from './rds-server.ts';
import { windowWarnings } from './rds-windows.ts';
import { type DatabaseSecret, readSecret } from './secret.ts';
import { shortCache } from './short-cache.ts';

export interface ConnectionClients {
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  /** Its credentials sign the tokens of IAM authentication too. */
  readonly rds: RDSClient;
  readonly region: string;
  /** Name of the environment. */
  readonly environment: string;
}

export interface Connections {
  /**
   * @throws ConnectionNotFoundError, SecretNotFoundError, SecretInvalidError, DatabaseInstanceNotFoundError,
   * DatabaseInstanceNotReadyError, ConfigurationError, AwsAccessDeniedError, AwsServiceError
   */
  readonly connectionOf: (name: string) => Promise<ConnectionSettings>;
  /** @throws ConnectionNotFoundError, ConfigurationError, AwsAccessDeniedError, AwsServiceError */
  readonly sourceOf: (name: string) => Promise<SourceParameter>;
  /** What RDS knows of a backup that begins now and the server cannot tell. @throws as `connectionOf` */
  readonly sourceWarnings: (name: string, at: Date) => Promise<readonly Warning[]>;
}

const minuteMs = 60_000;
/** A login that was rotated is noticed within it; a function connects seldom more often. */
const secretLifeMs = 5_000;
/** As in local/connection: a backup that hangs at night helps nobody. */
const connectTimeoutMs = 10_000;
const defaultPort = 5432;

export function makeConnectionOf(clients: ConnectionClients): Connections {
  const { ssm, secrets, rds, region, environment } = clients;
  const parameters = parametersOf(ssm, environment);
  const referenceOf = shortCache(parameters.reference, minuteMs);
  const secretOf = shortCache((id) => readSecret(secrets, id), secretLifeMs);
  const serverOf = shortCache((text) => findRdsServer(rds, JSON.parse(text)), minuteMs);

  const rdsServerOf = async (reference: ConnectionReference): Promise<RdsServer | undefined> => {
    const { dbInstance, dbCluster, reader } = reference;
    if (dbInstance === undefined && dbCluster === undefined) return undefined;
    return serverOf(JSON.stringify({ dbInstance, dbCluster, reader }));
  };

  return {
    sourceOf: shortCache(parameters.source, minuteMs),

    async sourceWarnings(name, at) {
      const server = await rdsServerOf(await referenceOf(name));
      return server === undefined ? [] : windowWarnings(server, at);
    },

    async connectionOf(name) {
      const reference = await referenceOf(name);
      const secret = reference.secret === undefined ? undefined : await secretOf(reference.secret);
      const server = await rdsServerOf(reference);
      const where = placeOf(name, reference, server, secret);
      const login =
        reference.auth === 'iam'
          ? iamLogin(rds, region, name, reference, where, server)
          : secretLogin(reference.secret, secret, secretOf);
      const hints = hintsOf(clients, name, reference, login.user);
      return { ...where, ...login, ...tlsOf(reference), connectTimeoutMs, hints };
    },
  };
}

/** Names, and nothing of what is in a secret but the role, which messages name as well. */
function hintsOf(
  { region, environment }: ConnectionClients,
  name: string,
  { secret, auth }: ConnectionReference,
  role: string,
): NonNullable<ConnectionSettings['hints']> {
  const known =
    auth === 'iam'
      ? `${name} logs in with a token of IAM, made in ${region}: GRANT rds_iam TO "${role}", and rds-db:connect for the roles of the functions`
      : `The login of ${name} is the secret ${secret} in ${region}: its password must be that of the role "${role}" on the server`;
  return {
    AuthenticationFailedError: `${known}; pg_hba.conf must let the role in. No deployment is needed; run it again.`,
    TlsError: `tls.mode of the connection of ${name} in environments/${environment}.json must suit the server, and tls.ca is the PEM of its authority where that is not Amazon RDS. Then deploy.`,
  };
}

/** What the schema of a connection has excluded. */
const contradiction = (what: string) =>
  new HoldfastError('InternalError', `A connection has ${what}.`);

type Place = Pick<ConnectionSettings, 'host' | 'port' | 'database'>;
type Login = Pick<ConnectionSettings, 'user' | 'password'>;

function placeOf(
  name: string,
  { database: wanted, secret: secretId }: ConnectionReference,
  server: RdsServer | undefined,
  secret: DatabaseSecret | undefined,
): Place {
  const host = server?.host ?? secret?.host;
  if (host === undefined) {
    throw new HoldfastError('SecretInvalidError', `The secret ${secretId} has no host.`, {
      hint: `Put the host into the secret, or name dbInstance or dbCluster in the connection of ${name}.`,
    });
  }
  const database = wanted ?? secret?.database ?? server?.database;
  if (database === undefined) {
    throw new HoldfastError('ConfigurationError', `No database is named for ${name}.`, {
      hint: 'Name it as database of the connection, or as dbname in the secret.',
    });
  }
  return { host, port: server?.port ?? secret?.port ?? defaultPort, database };
}

/** A password belongs to a user: when rotation has put another user in, the settings keep the pair they were made with. */
function secretLogin(
  id: string | undefined,
  secret: DatabaseSecret | undefined,
  secretOf: (id: string) => Promise<DatabaseSecret>,
): Login {
  if (id === undefined || secret === undefined) throw contradiction('auth secret without a secret');
  const { username: user } = secret;
  return {
    user,
    async password() {
      const newest = await secretOf(id);
      return newest.username === user ? newest.password : secret.password;
    },
  };
}

function iamLogin(
  rds: RDSClient,
  region: string,
  name: string,
  { user, tls }: ConnectionReference,
  { host, port }: Place,
  server: RdsServer | undefined,
): Login {
  if (user === undefined) throw contradiction('auth iam without a user');
  if (server !== undefined && !server.hasIamAuth) {
    throw new HoldfastError(
      'ConfigurationError',
      `${name} has auth iam, and IAM database authentication is off on ${host}.`,
      {
        hint: `Turn it on (aws rds modify-db-instance --enable-iam-database-authentication) and GRANT rds_iam TO "${user}".`,
      },
    );
  }
  if (tls.mode === 'disable') {
    throw new HoldfastError(
      'ConfigurationError',
      `${name} has auth iam and tls.mode disable; allowed are require, verify-ca and verify-full.`,
      { hint: 'A token is as good as a password: it goes over TLS only.' },
    );
  }
  return { user, password: () => iamToken(rds, { region, host, port, user }) };
}

function tlsOf({
  tls: { mode, ca },
}: ConnectionReference): Pick<ConnectionSettings, 'sslMode' | 'tls'> {
  if (mode === 'disable') return { sslMode: mode, tls: {} };
  // As in libpq `require` looks at the certificate when an authority is given, and only then.
  const authorities = ca ?? (mode === 'require' ? undefined : [...rdsAuthorities()]);
  return { sslMode: mode, tls: authorities === undefined ? {} : { ca: authorities } };
}
