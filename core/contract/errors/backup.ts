/** Errors of a backup that is being made: its snapshot, its run, its dump. */
import { type ErrorEntry, entry } from './entry.ts';

export const backupErrors = {
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
  CopyFailedError: entry(
    'COPY failed on the server',
    "The server's message is above; where it would quote a row it is shortened, and whole in the server's own log.",
  ),
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
} as const satisfies Record<string, ErrorEntry>;
