/** Errors of finding and reaching the server, and of what it lets the role do. */
import { type ErrorEntry, entry } from './entry.ts';

export const serverErrors = {
  // Reaching the server
  SourceUnreachableError: entry(
    'no TCP connection to the server',
    'Check host, port, firewall and that the server runs; `holdfast doctor` tries it step by step.',
    true,
  ),
  AuthenticationFailedError: entry(
    'the server refused user or password',
    'Check user and password (URL, PGPASSWORD or ~/.pgpass) and pg_hba.conf.',
  ),
  DatabaseNotFoundError: entry(
    'the server has no such database',
    'List the databases with `psql -l` and name one of them.',
  ),
  TooManyConnectionsError: entry(
    'the server has no free connection',
    'Lower --jobs, raise max_connections, or run when fewer clients are connected.',
    true,
  ),
  TlsError: entry(
    'TLS could not be agreed on with the server',
    'Match sslmode to the server: require, verify-ca or verify-full with sslrootcert=FILE, or disable.',
  ),
  ConnectionLostError: entry(
    'the connection to the server broke',
    'The step is tried again by itself; if it keeps happening look into the server log at this time.',
    true,
  ),
  PoolerDetectedError: entry(
    'a transaction pooler stands between us and the server',
    'Connect to the PostgreSQL server itself (its own port), or to a pool in session mode.',
  ),
  UnsupportedServerVersionError: entry(
    'this server version is not supported',
    'Supported are PostgreSQL 14 to 18; for a newer one upgrade Holdfast.',
  ),

  StandbyRefusedError: entry(
    'the server is a standby on which the primary may end the snapshot',
    'Back up from the primary, or set hot_standby_feedback = on and max_standby_streaming_delay = -1 on the standby.',
  ),

  // Finding the server on AWS
  ConnectionNotFoundError: entry(
    'the environment has no source and no target of this name',
    'Name one of those in environments/<env>.json; a new one must be deployed first.',
  ),
  DeploymentNotFoundError: entry(
    'an environment is not deployed in the account and Region that its file names',
    'Deploy it: npx cdk deploy --all -c env=NAME, as docs/deploy.md tells.',
  ),
  DatabaseInstanceNotFoundError: entry(
    'RDS has no such database instance or cluster',
    'Check dbInstance or dbCluster of the connection, and that it is in the Region of the deployment.',
  ),
  DatabaseInstanceNotReadyError: entry(
    'the database instance or cluster does not take connections for now',
    'Run again when its status is "available".',
    true,
  ),
  SecretNotFoundError: entry(
    'there is no such secret',
    'Check the name or ARN of the secret, and that it is in the Region of the deployment.',
  ),
  SecretInvalidError: entry(
    'the secret does not hold what a connection needs',
    'It must be JSON as RDS writes it: username, password, and, unless RDS finds the server, host, port, dbname.',
  ),
  AwsAccessDeniedError: entry(
    'a role may not do what an AWS service was asked for',
    'Allow the role the action that the message names.',
  ),
  AwsServiceError: entry(
    'an AWS service did not answer, or reported an error of its own',
    'The step is tried again by itself; if it keeps happening check the way to the service (VPC endpoint, NAT) and its health.',
    true,
  ),

  // Rights
  PermissionDeniedError: entry(
    'the role may not read something that belongs to the backup',
    'GRANT pg_read_all_data TO the role, or leave the tables out with --exclude-table.',
  ),
  RowSecurityError: entry(
    'row security would hide rows from the backup',
    'Use a role with BYPASSRLS or the owner of the tables, or leave them out with --exclude-table-data.',
  ),
} as const satisfies Record<string, ErrorEntry>;
