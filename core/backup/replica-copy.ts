/**
 * One object at the replica: is it the very version that the manifest names, and kept there as it is kept here?
 *
 * Replication copies bytes, version, tags and lock; changes of tags and locks follow asynchronously, and now and then not
 * at all. Invariant: what lags is set to what the primary has now; nothing at the replica is loosened (Object Lock only
 * extends; a hold is taken off only where the primary has none).
 */
import type { Deps } from '../contract/deps.ts';
import { HoldfastError, isHoldfastError } from '../contract/errors.ts';
import type { ObjectHead, Vault } from '../vault/vault.ts';
import { tierTag } from './retention.ts';

export type Replica = NonNullable<Deps['replica']>;

/** @throws InternalError where there is none: the state machine asks only when Publish said that there is one */
export function requireReplica({ replica }: Pick<Deps, 'replica'>): Replica {
  if (replica !== undefined) return replica;
  throw new HoldfastError('InternalError', 'No replica of the vault is configured here.');
}

export interface KeptCopy {
  readonly head: ObjectHead;
  /** What lagged and was set: `tag`, `lock`, `hold`. */
  readonly healed: readonly string[];
}

/** @throws ReplicaBehindError when the object has not arrived; VaultAccessDeniedError … */
export async function keepCopy(deps: Pick<Deps, 'vault' | 'replica'>, key: string) {
  const { vault } = requireReplica(deps);
  const [wanted, found] = await Promise.all([deps.vault.head(key), headOrBehind(vault, key)]);
  const healed: string[] = [];
  if (found.tags[tierTag] !== wanted.tags[tierTag]) {
    await vault.setTags(key, wanted.tags);
    healed.push('tag');
  }
  const until = wanted.retainUntil;
  if (until !== undefined && (found.retainUntil === undefined || found.retainUntil < until)) {
    await vault.setRetainUntil(key, until);
    healed.push('lock');
  }
  if (found.hasLegalHold !== wanted.hasLegalHold) {
    await vault.setLegalHold(key, wanted.hasLegalHold);
    healed.push('hold');
  }
  return { head: found, healed } satisfies KeptCopy;
}

export async function headOrBehind(vault: Vault, key: string): Promise<ObjectHead> {
  try {
    return await vault.head(key);
  } catch (error) {
    throw behindUnless(error, vault, key);
  }
}

/** "Not there" is "not yet there", and nothing else is. */
export function behindUnless(error: unknown, vault: Vault, key: string): unknown {
  if (!isHoldfastError(error, 'ObjectNotFoundError', 'BackupNotFoundError')) return error;
  return new HoldfastError(
    'ReplicaBehindError',
    `${key} is not at the replica ${vault.location}.`,
    {
      cause: error,
      evidence: { key, replica: vault.location },
    },
  );
}
