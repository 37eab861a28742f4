/**
 * A process that restores, to be killed: gets its options over IPC and tells of each state and each stretch of rows. Told
 * so, it kills itself as soon as it comes to a state.
 */
import { type RunRestoreOptions, runRestore } from '../../local/engine/run-restore.ts';

export type KilledOptions = RunRestoreOptions & { readonly lastState?: string };

process.once('message', ({ connection, lastState, ...options }: KilledOptions) => {
  const password = connection.password as unknown as string;
  void runRestore({
    ...options,
    connection: { ...connection, password: async () => password },
    onProgress: ({ state }) => {
      if (state === lastState) process.kill(process.pid, 'SIGKILL');
      process.send?.(state);
    },
  }).then(
    (report) => process.send?.({ report }),
    (error: Error) => process.send?.({ error: `${error.name}: ${error.message}` }),
  );
});
process.once('disconnect', () => process.exit(1));
