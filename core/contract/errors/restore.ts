/** Errors of a finished backup and of its restore. */
import { type ErrorEntry, entry } from './entry.ts';

export const restoreErrors = {
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
    "The server's message is above; where it would quote a row it is shortened, and whole in the server's own log.",
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
} as const satisfies Record<string, ErrorEntry>;
