/**
 * The lease on a source: at most one backup of it at a time.
 *
 * A lease that is not renewed in time is free for the next run. Invariant: its fencing number only grows, and a run
 * whose lease was taken over finds that out (`assertLease`) before it seals anything.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { Run } from '../contract/plan.ts';
import { decodeJson, encodeJson } from '../vault/json.ts';
import { workspaceKeys } from '../vault/keys.ts';
import type { WriteCondition } from '../vault/vault.ts';

const leaseSchema = z.strictObject({
  runId: z.string(),
  /** Grows with each taking. */
  fence: z.int().positive(),
  heldBy: z.strictObject({ user: z.string(), host: z.string() }),
  since: z.iso.datetime(),
  /** Free from then on. */
  until: z.iso.datetime(),
  /** Given free before its time, and never renewed again. */
  isReleased: z.boolean(),
});
export type Lease = z.infer<typeof leaseSchema>;

type LeaseDeps = Pick<Deps, 'workspace' | 'now'>;

export interface LeaseRequest {
  readonly source: string;
  readonly runId: string;
  readonly leaseSeconds: number;
  readonly heldBy: Lease['heldBy'];
}

/**
 * Takes the lease, or keeps it when this run has it already.
 * @throws LeaseHeldError with who, since when and until when
 */
export async function takeLease(deps: LeaseDeps, request: LeaseRequest): Promise<Lease> {
  const { source, runId, heldBy } = request;
  const found = await readLease(deps, source);
  const now = deps.now();
  const isOurs = found?.lease.runId === runId;
  if (found !== undefined && !isOurs && isHeld(found.lease, now)) {
    throw heldByOther(source, found.lease, now);
  }
  const lease: Lease = {
    runId,
    fence: isOurs ? found.lease.fence : (found?.lease.fence ?? 0) + 1,
    heldBy,
    since: isOurs ? found.lease.since : now.toISOString(),
    until: endOf(now, request.leaseSeconds),
    isReleased: false,
  };
  const isWritten = await tryWrite(
    deps,
    source,
    lease,
    found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.etag },
  );
  if (isWritten) return lease;
  // Somebody was quicker; it is theirs, unless they are an attempt of our own run.
  const theirs = (await readLease(deps, source))?.lease;
  if (theirs?.runId === runId) return theirs;
  throw heldByOther(source, theirs ?? lease, now);
}

/**
 * Puts the end of the lease off, once less than half of it is left.
 * @throws LeaseHeldError when another run has it
 */
export async function renewLease(deps: LeaseDeps, run: Run): Promise<void> {
  const { source, options } = run.input;
  const found = await requireOurs(deps, run);
  const now = deps.now();
  const left = new Date(found.lease.until).getTime() - now.getTime();
  if (found.lease.isReleased || left > (options.leaseSeconds * 1000) / 2) return;
  const lease = { ...found.lease, until: endOf(now, options.leaseSeconds) };
  if (await tryWrite(deps, source, lease, { ifMatch: found.etag })) return;
  await requireOurs(deps, run);
}

/** @throws LeaseHeldError when another run took the lease over, or it is gone */
export async function assertLease(deps: LeaseDeps, run: Run): Promise<void> {
  await requireOurs(deps, run);
}

/** Gives the lease free when this run has it. The document stays, so that its fencing number does. */
export async function releaseLease(deps: LeaseDeps, source: string, runId: string): Promise<void> {
  // A worker of ours may be renewing it at this moment; each try fails only when somebody else's write succeeded.
  for (let tries = 0; tries < releaseTries; tries += 1) {
    const found = await readLease(deps, source);
    if (found?.lease.runId !== runId || found.lease.isReleased) return;
    const lease = { ...found.lease, isReleased: true };
    if (await tryWrite(deps, source, lease, { ifMatch: found.etag })) return;
  }
}

const releaseTries = 10;

const isHeld = (lease: Lease, now: Date): boolean =>
  !lease.isReleased && new Date(lease.until) > now;

async function readLease(deps: LeaseDeps, source: string) {
  const key = workspaceKeys.lease(source);
  const entry = await deps.workspace.get(key);
  if (entry === undefined) return undefined;
  return { lease: decodeJson(leaseSchema, entry.body, key), etag: entry.etag };
}

/** @returns false when the lease is not any more what it was when it was read */
async function tryWrite(
  deps: LeaseDeps,
  source: string,
  lease: Lease,
  condition: WriteCondition,
): Promise<boolean> {
  try {
    await deps.workspace.put(workspaceKeys.lease(source), encodeJson(lease), condition);
    return true;
  } catch (error) {
    if (isHoldfastError(error, 'PreconditionFailedError')) return false;
    throw error;
  }
}

async function requireOurs(deps: LeaseDeps, run: Run) {
  const { source } = run.input;
  const found = await readLease(deps, source);
  if (found?.lease.runId === run.runId && found.lease.fence === run.fence) return found;
  const now = found === undefined ? 'nobody holds it' : `${found.lease.runId} took it over`;
  throw new HoldfastError(
    'LeaseHeldError',
    `The lease on ${source} is not ours any more (fence ${run.fence}): ${now}.`,
    {
      hint: 'This run stood still for longer than its lease. Nothing of it was published.',
      evidence: { source, fence: run.fence, lease: found?.lease },
    },
  );
}

function heldByOther(source: string, lease: Lease, now: Date): HoldfastError {
  const { runId, heldBy, since, until } = lease;
  const seconds = Math.max(1, Math.ceil((new Date(until).getTime() - now.getTime()) / 1000));
  return new HoldfastError(
    'LeaseHeldError',
    `Another backup of ${source} is running: ${runId}, by ${heldBy.user} on ${heldBy.host} since ${since}.`,
    {
      hint: `Wait for it to end. Should it have died, its lease is free at ${until} (in ${seconds} s).`,
      evidence: { source, lease },
    },
  );
}

const endOf = (now: Date, seconds: number): string =>
  new Date(now.getTime() + seconds * 1000).toISOString();
