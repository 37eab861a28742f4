/**
 * The error catalogue: every error that an operation throws on purpose, by its stable name.
 *
 * `name` is public API: state machines catch by it, scripts match it, the runbook has it as a heading.
 * A new failure gets an entry here first; nothing else may be thrown across a module's boundary on purpose.
 */

interface ErrorEntry {
  /** What happened, in a few words, for the generated documentation. */
  readonly means: string;
  /** May the same call succeed when it is made again, with nothing changed by a person? */
  readonly retryable: boolean;
  /** The answer to "what do I do now" when the thrower knows nothing better. */
  readonly hint: string;
}

const entry = (means: string, hint: string, retryable = false): ErrorEntry => ({
  means,
  hint,
  retryable,
});

export const errorCatalogue = {
  // Wrong use
  UsageError: entry('the command or its input is wrong', 'Run the command with --help.'),
  ConfigurationError: entry(
    'a setting has a value that is not allowed',
    'Correct the setting named in the message.',
  ),
  PatternMatchesNothingError: entry(
    'a --schema/--table pattern matches nothing',
    'Check the pattern: unquoted names fold to lower case, * and ? are wildcards, as in pg_dump.',
  ),

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

  // The snapshot
  SnapshotLostError: entry(
    'both sessions that hold the snapshot are gone',
    'Nothing was published. Find out who ended them (server restart, pg_terminate_backend, failover), then run again.',
  ),
  LockTableTooSmallError: entry(
    "the server's lock table is too small for this many tables",
    'Raise max_locks_per_transaction as the message says (needs a restart), or back up fewer schemas at once.',
  ),
  LockNotAvailableError: entry(
    'a table is locked by somebody else',
    'End the session named in the message or run when it is done.',
    true,
  ),
  BlockedDdlError: entry(
    'a schema change waits behind the backup and everybody else behind it',
    'The backup gave way. Run it again after the change, or use --on-blocked-ddl cancel-waiter.',
  ),
  SchemaMovedError: entry(
    'the schema was changed while it was being read',
    'Run the backup when no migration runs.',
  ),
  TableChangedError: entry(
    'a table was truncated, rewritten or dropped beneath the snapshot',
    'Run the backup again; no rows of this run were published.',
  ),

  // The run
  LeaseHeldError: entry(
    'another backup of this source is running',
    'Wait for it to end; a run that died gives its lease free by itself after the time in the message.',
  ),
  DuplicateRunError: entry(
    'this scheduled time was already claimed by another run',
    'Nothing to do: the other run does the work.',
  ),
  RunAbortedError: entry('the run was aborted', 'See the first error of the run for the cause.'),
  WorkerLostError: entry(
    'a worker process died',
    'The step is tried again by itself; if it keeps happening look for the out-of-memory killer.',
    true,
  ),
  TaskTimedOutError: entry(
    'a step used up its time',
    'The step is tried again by itself; if it keeps happening use smaller units.',
    true,
  ),

  // Dumping
  SchemaDumpError: entry('pg_dump could not write the schema', 'Its own message is quoted above.'),
  CopyFailedError: entry('COPY failed on the server', "The server's own message is quoted above."),
  CopyIncompleteError: entry(
    'the server sent fewer or other rows than it said',
    'Run again; if it happens twice report it with the numbers in the message.',
    true,
  ),
  RowTooLargeForTextError: entry(
    'a row is larger than 1 GB as text',
    'The table is dumped as binary COPY by itself.',
  ),
  EncodingError: entry(
    'the database holds bytes that are not valid in its encoding',
    'Name a native pg_dump, or correct the rows.',
  ),
  IncompleteBackupError: entry(
    'not every unit of the plan left a receipt',
    'Nothing was published. Run again.',
  ),

  // The vault
  VaultNotFoundError: entry(
    'this is not a vault',
    'Make one with `holdfast init --vault DIR`, or name the right folder.',
  ),
  VaultAccessDeniedError: entry(
    'the vault may not be read or written by this user',
    'Give the user that runs Holdfast read and write rights on the vault.',
  ),
  VaultFullError: entry(
    'there is no space left for the vault',
    'Free space or move the vault; the failed run left nothing that counts as a backup.',
  ),
  VaultIoError: entry(
    'the file system of the vault reported an error',
    'Check the disk; the message quotes the error.',
    true,
  ),
  ObjectNotFoundError: entry(
    'the vault has no such object',
    'Run `holdfast verify` on this backup.',
  ),
  ObjectTruncatedError: entry(
    'an object of the vault is shorter than it was when it was written',
    'It was damaged: run `holdfast verify` on this backup and restore the object from a replica.',
  ),
  ObjectDamagedError: entry(
    'the stored bytes of an object are not those that were written',
    'It was damaged: run `holdfast verify` on this backup and restore the object from a replica.',
  ),
  PreconditionFailedError: entry(
    'the object exists already or has been changed by somebody else',
    'Another process works on the same thing; let it end.',
  ),
  ObjectLockedError: entry(
    'the object is locked against deletion',
    'Wait until its retain-until date; this is what the lock is for.',
  ),
  InvalidObjectKeyError: entry(
    'this is not a valid object key',
    'Report it: keys are made by Holdfast.',
  ),

  // Keys
  KeyFileMissingError: entry(
    'the key file is not there',
    'Name it with --key FILE or HOLDFAST_KEY_FILE; without it nobody can open the backups of this vault.',
  ),
  KeyFileInsecureError: entry('others can read the key file', 'chmod 600 the key file.'),
  KeyMismatchError: entry(
    'this key does not belong to this vault or backup',
    'Give the key, or the key file, with the id that the message asks for.',
  ),
  KeyAccessDeniedError: entry(
    'the key service refuses this role',
    'Allow the role the action that the message names, in the policy of the key and in its own; conditions on the encryption context count too.',
  ),
  KeyUnavailableError: entry(
    'the key is disabled, waits for its deletion, or is not there',
    'Enable the key, or cancel its deletion, then run again: without it nobody can open the backups.',
  ),
  KeyThrottledError: entry(
    'the key service takes no more requests for now',
    'The step is tried again by itself; if it keeps happening raise the quota of requests to the key service.',
    true,
  ),
  KeyServiceError: entry(
    'the key service did not answer, or reported an error of its own',
    'The step is tried again by itself; if it keeps happening check the way to the key service (VPC endpoint, NAT) and its health.',
    true,
  ),
  DecryptionError: entry(
    'the content could not be decrypted',
    'It was damaged or exchanged: restore this object from a replica.',
  ),
  SignatureInvalidError: entry(
    'the signature of the manifest is not valid',
    'Do not trust this backup: somebody or something changed it.',
  ),

  // Backups
  BackupDamagedError: entry(
    'objects of the backup are not what was written',
    'Nothing was published. Check the storage of the vault (disk, memory, controller), then run again.',
  ),
  BackupNotFoundError: entry('there is no such backup', 'See `holdfast list`.'),
  ManifestInvalidError: entry(
    'the manifest cannot be read',
    'Do not trust this backup; take another.',
  ),

  // Restoring
  PreflightFailedError: entry(
    'the restore cannot work: preflight found why',
    'Nothing was touched. Mend what the list names, then run the same command again.',
  ),
  TargetExistsError: entry(
    'a database of this name is there already',
    'Choose another --name, or --mode swap to replace it (a safety backup is taken first).',
  ),
  TargetInUseError: entry(
    'sessions are connected to the database that is to be replaced',
    'End them, or let Holdfast end them with --disconnect.',
  ),
  TargetChangedError: entry(
    'databases of the target were renamed or dropped while the restore worked',
    'Nothing was renamed. See which database has which name now, then run the same command again.',
  ),
  TargetFullError: entry(
    'the target server has no space left',
    'Free space on the target; what was restored so far was taken away again. Then run the same command again.',
  ),
  RestoreStatementError: entry(
    'the target refused a statement of the backup',
    "The server's own message is quoted above.",
  ),
  RowConflictError: entry(
    'a restored row has a key that is there already',
    'Say what shall become of it: --on-conflict skip or --on-conflict replace.',
  ),
  OrphanedRowsError: entry(
    'restored rows would break a foreign key',
    'Restore the table they refer to as well, or accept it with --allow-orphans.',
  ),
  RestoreDifferentError: entry(
    'what was restored is not what was backed up',
    'The target is as it was. The report lists each difference.',
  ),
  CheckFailedError: entry(
    'a check of your own failed',
    'The target is as it was. The report has what each check gave.',
  ),
  HookFailedError: entry('a hook command failed', 'Its exit code and output are in the report.'),
  RollbackImpossibleError: entry(
    'there is nothing to roll back to',
    'A swap can be rolled back as long as the database it put aside is kept.',
  ),

  InternalError: entry('Holdfast itself is wrong', 'Please report it with the stack trace.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorCatalogue;

/** Values got and allowed, ids, sizes: what a person needs to act on. Never a secret. */
export type Evidence = Readonly<Record<string, unknown>>;

export interface ErrorDetails {
  readonly hint?: string;
  readonly evidence?: Evidence;
  readonly cause?: unknown;
}

/** The only error class that crosses a module's boundary on purpose; `name` tells which one it is. */
export class HoldfastError extends Error {
  override readonly name: ErrorName;
  readonly hint: string;
  readonly retryable: boolean;
  readonly evidence: Evidence;

  constructor(name: ErrorName, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = name;
    this.hint = details.hint ?? errorCatalogue[name].hint;
    this.retryable = errorCatalogue[name].retryable;
    this.evidence = details.evidence ?? {};
  }
}

export function isHoldfastError(error: unknown, ...names: ErrorName[]): error is HoldfastError {
  return (
    error instanceof HoldfastError &&
    (names.length === 0 || names.includes(error.name as ErrorName))
  );
}
