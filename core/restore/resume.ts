/**
 * Is a request the one that an unfinished restore was given, and can that one be gone on with?
 *
 * Who asks and how fast it shall be (`options`) make no other restore; the backup that the choice means does.
 */
import type { Deps } from '../contract/deps.ts';
import type { RestoreInput, RestoreRun } from '../contract/restore.ts';
import { firstRestoreFailure } from './abort-mark.ts';

export function isSameRequest(
  run: Pick<RestoreRun, 'input' | 'backup'>,
  request: RestoreInput,
  target: { readonly backup: { readonly backupId: string } },
): boolean {
  const isSameBackup = run.backup.backupId === target.backup.backupId;
  return isSameBackup && canonical(run.input) === canonical(request);
}

/** Not after its preflight failed, nor when it was aborted: then it only waits to be taken back. */
export async function mayGoOn(deps: Pick<Deps, 'workspace'>, run: RestoreRun): Promise<boolean> {
  if (run.input.dryRun || run.preflight.some(({ verdict }) => verdict === 'failed')) return false;
  return (await firstRestoreFailure(deps.workspace, run.runId)) === undefined;
}

/** `choice` says which backup, which is compared by its id. */
function canonical(input: RestoreInput): string {
  const { requestedBy: _by, options: _options, choice: _choice, ...rest } = input;
  return JSON.stringify(rest, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
