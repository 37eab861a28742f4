/** A process that backs up, restores or drills, and kills itself with -9 in a state: gets its options over IPC. */
import { type RunBackupOptions, runBackup } from '../../local/engine/run-backup.ts';
import { type RunDrillOptions, runDrill } from '../../local/engine/run-drill.ts';
import { type RunRestoreOptions, runRestore } from '../../local/engine/run-restore.ts';

interface KilledIn {
  readonly state: string;
  /** After it has begun with the state; 0: before it does. */
  readonly milliseconds: number;
}

export type KilledRun =
  | { readonly machine: 'backup'; readonly options: RunBackupOptions }
  | { readonly machine: 'restore'; readonly options: RunRestoreOptions }
  | { readonly machine: 'drill'; readonly options: RunDrillOptions };

/** Its workers with it: it is the leader of their group. */
const kill = () => process.kill(-process.pid, 'SIGKILL');

process.once('message', ({ machine, options, killedIn }: KilledRun & { killedIn: KilledIn }) => {
  // Functions do not go through IPC: it is the password as it was.
  const password = options.connection.password as unknown as string;
  const connection = { ...options.connection, password: async () => password };
  let isDoomed = false;
  const onProgress = ({ state }: { state: string }) => {
    if (state !== killedIn.state || isDoomed) return;
    isDoomed = true;
    if (killedIn.milliseconds === 0) kill();
    else setTimeout(kill, killedIn.milliseconds);
  };
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
