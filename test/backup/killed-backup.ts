/** A process that backs up, to be killed: gets its options over IPC and tells when the dump has begun. */
import { type RunBackupOptions, runBackup } from '../../local/engine/run-backup.ts';

process.once('message', ({ connection, ...options }: RunBackupOptions) => {
  const password = connection.password as unknown as string;
  void runBackup({
    ...options,
    connection: { ...connection, password: async () => password },
    onProgress: ({ state }) => {
      if (state === 'DumpUnit') process.send?.('dumping');
    },
  });
});
process.once('disconnect', () => process.exit(1));
