/**
 * The lease on what is restored into: at most one restore at a time works on a database of a server.
 *
 * It also names the last run that worked there, which is how a restore that was killed is found again. A restore into a
 * database that has no name of its own yet (`<name>_restore_<id>`) shares it with restores of the same backup only.
 */
import { createHash } from 'node:crypto';
import type { RestoreInput, RestoreRun } from '../contract/restore.ts';
import {
  assertNamedLease,
  type LeaseDeps,
  type LeaseName,
  releaseNamedLease,
  renewNamedLease,
} from '../run/named-lease.ts';
import { workspaceKeys } from '../vault/keys.ts';

export interface LeasedTarget {
  readonly input: Pick<RestoreInput, 'mode' | 'database'>;
  readonly backup: { readonly backupId: string; readonly database: string };
  readonly server: { readonly host: string; readonly port: number };
}

export function targetLeaseOf({ input, backup, server }: LeasedTarget): LeaseName {
  const isUnnamed = input.mode === 'new' && input.database === undefined;
  const database = input.database ?? backup.database;
  const what = [server.host, server.port, database, isUnnamed ? backup.backupId : null];
  return {
    key: workspaceKeys.restoreLease(
      createHash('sha256').update(JSON.stringify(what)).digest('hex'),
    ),
    on: `database ${JSON.stringify(database)} at ${server.host}:${server.port}`,
    work: isUnnamed ? `restore of ${backup.backupId}` : `restore into ${JSON.stringify(database)}`,
    comfort: 'The database is as it was, or another run works on it.',
  };
}

/** @throws LeaseHeldError when another run has it */
export const renewTargetLease = (deps: LeaseDeps, run: RestoreRun): Promise<void> =>
  renewNamedLease(deps, targetLeaseOf(run), run, run.input.options.leaseSeconds);

/** Before what cannot be undone. @throws LeaseHeldError when another run took it over */
export async function assertTargetLease(deps: LeaseDeps, run: RestoreRun): Promise<void> {
  await assertNamedLease(deps, targetLeaseOf(run), run);
}

/** At the end of a run, good or bad. @returns whether it had it */
export const releaseTargetLease = (deps: LeaseDeps, run: RestoreRun): Promise<boolean> =>
  releaseNamedLease(deps, targetLeaseOf(run), run.runId);
