/**
 * Leases: at most one run at a time works on a thing that has a name.
 *
 * A lease that is not renewed in time is free for the next run. Invariant: its fencing number only grows, and a run
 * whose lease was taken over finds that out (`assertNamedLease`) before it does what cannot be undone.
 */
import { z } from 'zod';
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import { decodeJson, encodeJson } from '../vault/json.ts';
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

export type LeaseDeps = Pick<Deps, 'workspace' | 'now'>;

/** What a lease is on, and how to speak of it. */
export interface LeaseName {
  readonly key: string;
  /** `shop`, `database shop at db1:5432` */
  readonly on: string;
  /** `backup of shop`, `restore into shop` */
  readonly work: string;
  /** What a run that lost it may be sure of. */
  readonly comfort: string;
}

/** A run as its lease knows it. */
export interface Holder {
  readonly runId: string;
  readonly fence: number;
}

export interface Taking {
  readonly runId: string;
  readonly leaseSeconds: number;
  readonly heldBy: Lease['heldBy'];
  /** Another execution goes on with the run: what its dead predecessor holds is not ours before its time. */
  readonly isSuccessor?: boolean;
}

/**
 * Takes the lease, or keeps it when this run has it already.
 * @throws LeaseHeldError with who, since when and until when
 */
export async function takeNamedLease(
  deps: LeaseDeps,
  name: LeaseName,
  request: Taking,
): Promise<Lease> {
  const { runId, heldBy } = request;
  const found = await readNamedLease(deps, name);
  const now = deps.now();
  const isOurs = found?.lease.runId === runId && request.isSuccessor !== true;
  if (found !== undefined && !isOurs && isHeld(found.lease, now)) {
    throw heldByOther(name, found.lease, now);
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
    name,
    lease,
    found === undefined ? { ifNoneMatch: '*' } : { ifMatch: found.etag },
  );
  if (isWritten) return lease;
  // Somebody was quicker; it is theirs, unless they are an attempt of our own run.
  const theirs = (await readNamedLease(deps, name))?.lease;
  if (theirs?.runId === runId && request.isSuccessor !== true) return theirs;
  throw heldByOther(name, theirs ?? lease, now);
}

/**
 * Puts the end of the lease off, once less than half of it is left.
 * @throws LeaseHeldError when another run has it
 */
export async function renewNamedLease(
  deps: LeaseDeps,
  name: LeaseName,
  holder: Holder,
  leaseSeconds: number,
): Promise<void> {
  const found = await assertNamedLease(deps, name, holder);
  const now = deps.now();
  const left = new Date(found.lease.until).getTime() - now.getTime();
  if (found.lease.isReleased || left > (leaseSeconds * 1000) / 2) return;
  const lease = { ...found.lease, until: endOf(now, leaseSeconds) };
  if (await tryWrite(deps, name, lease, { ifMatch: found.etag })) return;
  await assertNamedLease(deps, name, holder);
}

/** @throws LeaseHeldError when another run took the lease over, or it is gone */
export async function assertNamedLease(
  deps: LeaseDeps,
  name: LeaseName,
  { runId, fence }: Holder,
): Promise<{ readonly lease: Lease; readonly etag: string }> {
  const found = await readNamedLease(deps, name);
  if (found?.lease.runId === runId && found.lease.fence === fence) return found;
  const now = found === undefined ? 'nobody holds it' : `${found.lease.runId} took it over`;
  throw new HoldfastError(
    'LeaseHeldError',
    `The lease on ${name.on} is not ours any more (fence ${fence}): ${now}.`,
    {
      hint: `This run stood still for longer than its lease. ${name.comfort}`,
      evidence: { on: name.on, fence, lease: found?.lease },
    },
  );
}

/**
 * Gives the lease free when this run has it. The document stays, so that its fencing number does.
 * @returns whether it had it
 */
export async function releaseNamedLease(
  deps: LeaseDeps,
  name: Pick<LeaseName, 'key'>,
  runId: string,
): Promise<boolean> {
  // A worker of ours may be renewing it at this moment; each try fails only when somebody else's write succeeded.
  for (let tries = 0; tries < releaseTries; tries += 1) {
    const found = await readNamedLease(deps, name);
    if (found?.lease.runId !== runId || found.lease.isReleased) return false;
    const lease = { ...found.lease, isReleased: true };
    if (await tryWrite(deps, name, lease, { ifMatch: found.etag })) return true;
  }
  return false;
}

/**
 * For a run that was ended between its lease and its record, so that nobody knows what the lease is on.
 *
 * @param prefix of the keys that are looked through: there is one for each source, or target, that ever was
 * @returns how many there were
 */
export async function releaseLeasesOf(
  deps: LeaseDeps,
  prefix: string,
  runId: string,
): Promise<number> {
  let released = 0;
  for await (const key of deps.workspace.list(prefix)) {
    if (await releaseNamedLease(deps, { key }, runId)) released += 1;
  }
  return released;
}

const releaseTries = 10;

export const isHeld = (lease: Lease, now: Date): boolean =>
  !lease.isReleased && new Date(lease.until) > now;

export async function readNamedLease(
  deps: LeaseDeps,
  { key }: Pick<LeaseName, 'key'>,
): Promise<{ readonly lease: Lease; readonly etag: string } | undefined> {
  const entry = await deps.workspace.get(key);
  if (entry === undefined) return undefined;
  return { lease: decodeJson(leaseSchema, entry.body, key), etag: entry.etag };
}

/** @returns false when the lease is not any more what it was when it was read */
async function tryWrite(
  deps: LeaseDeps,
  { key }: Pick<LeaseName, 'key'>,
  lease: Lease,
  condition: WriteCondition,
): Promise<boolean> {
  try {
    await deps.workspace.put(key, encodeJson(lease), condition);
    return true;
  } catch (error) {
    if (isHoldfastError(error, 'PreconditionFailedError')) return false;
    throw error;
  }
}

function heldByOther({ on, work }: LeaseName, lease: Lease, now: Date): HoldfastError {
  const { runId, heldBy, since, until } = lease;
  const seconds = Math.max(1, Math.ceil((new Date(until).getTime() - now.getTime()) / 1000));
  return new HoldfastError(
    'LeaseHeldError',
    `Another ${work} is running: ${runId}, by ${heldBy.user} on ${heldBy.host} since ${since}.`,
    {
      hint: `Wait for it to end. Should it have died, its lease is free at ${until} (in ${seconds} s).`,
      evidence: { on, lease },
    },
  );
}

const endOf = (now: Date, seconds: number): string =>
  new Date(now.getTime() + seconds * 1000).toISOString();
