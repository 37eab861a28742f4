/** A process that backs up, restores or drills, to be killed: gets its options over IPC and tells of each state. */
import { type RunBackupOptions, runBackup } from '../../local/engine/run-backup.ts';
import { type RunDrillOptions, runDrill } from '../../local/engine/run-drill.ts';
import { type RunRestoreOptions, runRestore } from '../../local/engine/run-restore.ts';

export type KilledRun =
  | { readonly machine: 'backup'; readonly options: RunBackupOptions }
  | { readonly machine: 'restore'; readonly options: RunRestoreOptions }
  | { readonly machine: 'drill'; readonly options: RunDrillOptions };

process.once('message', ({ machine, options }: KilledRun) => {
  // Functions do not go through IPC: it is the password as it was.
  const password = options.connection.password as unknown as string;
  const connection = { ...options.connection, password: async () => password };
  const onProgress = ({ state }: { state: string }) => void process.send?.(state);
  const told = { ...options, connection, onProgress };
  const run =
    machine === 'backup'
      ? runBackup(told as RunBackupOptions)
      : machine === 'restore'
        ? runRestore(told as RunRestoreOptions)
        : runDrill(told as RunDrillOptions);
  void run.then(
    () => process.send?.({ ended: 'well' }),
    (error: Error) => process.send?.({ ended: `${error.name}: ${error.message}` }),
  );
});
process.once('disconnect', () => process.exit(1));
