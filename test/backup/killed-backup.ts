/** A process that backs up and kills itself with -9 when the dump has begun: gets its options over IPC. */
import { type RunBackupOptions, runBackup } from '../../local/engine/run-backup.ts';

process.once('message', ({ connection, ...options }: RunBackupOptions) => {
  const password = connection.password as unknown as string;
  void runBackup({
    ...options,
    connection: { ...connection, password: async () => password },
    onProgress: ({ state }) => {
      if (state === 'DumpUnit') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20);
    },
  });
});
process.once('disconnect', () => process.exit(1));
