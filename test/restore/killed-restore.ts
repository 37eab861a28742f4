/** A process that restores, to be killed: gets its options over IPC and tells of each state and each stretch of rows. */
import { type RunRestoreOptions, runRestore } from '../../local/engine/run-restore.ts';

process.once('message', ({ connection, ...options }: RunRestoreOptions) => {
  const password = connection.password as unknown as string;
  void runRestore({
    ...options,
    connection: { ...connection, password: async () => password },
    onProgress: ({ state }) => process.send?.(state),
  }).then(
    (report) => process.send?.({ report }),
    (error: Error) => process.send?.({ error: `${error.name}: ${error.message}` }),
  );
});
process.once('disconnect', () => process.exit(1));
