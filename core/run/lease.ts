/** The lease on a source: at most one backup of it at a time (core/run/named-lease.ts). */
import type { Run } from '../contract/plan.ts';
import { workspaceKeys } from '../vault/keys.ts';
import {
  assertNamedLease,
  type Lease,
  type LeaseDeps,
  type LeaseName,
  releaseNamedLease,
  renewNamedLease,
  type Taking,
  takeNamedLease,
} from './named-lease.ts';

export type { Lease } from './named-lease.ts';

export const backupLeaseOf = (source: string): LeaseName => ({
  key: workspaceKeys.lease(source),
  on: source,
  work: `backup of ${source}`,
  comfort: 'Nothing of it was published.',
});

export interface LeaseRequest extends Taking {
  readonly source: string;
}

/**
 * Takes the lease, or keeps it when this run has it already.
 * @throws LeaseHeldError with who, since when and until when
 */
export const takeLease = (deps: LeaseDeps, request: LeaseRequest): Promise<Lease> =>
  takeNamedLease(deps, backupLeaseOf(request.source), request);

/**
 * Puts the end of the lease off, once less than half of it is left.
 * @throws LeaseHeldError when another run has it
 */
export const renewLease = (deps: LeaseDeps, run: Run): Promise<void> =>
  renewNamedLease(deps, backupLeaseOf(run.input.source), run, run.input.options.leaseSeconds);

/** @throws LeaseHeldError when another run took the lease over, or it is gone */
export async function assertLease(deps: LeaseDeps, run: Run): Promise<void> {
  await assertNamedLease(deps, backupLeaseOf(run.input.source), run);
}

/** Gives the lease free when this run has it. @returns whether it had it */
export const releaseLease = (deps: LeaseDeps, source: string, runId: string): Promise<boolean> =>
  releaseNamedLease(deps, backupLeaseOf(source), runId);
