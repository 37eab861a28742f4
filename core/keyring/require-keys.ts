/**
 * The wrong keys are told before anything is read with them: by ids, which are hashes of the keys, or names that the key
 * service gave.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { KeyRing } from './key-ring.ts';

export interface WantedKeys {
  readonly encryptionKeyId?: string;
  readonly signingKeyId?: string;
}

/** @param what names whose keys these are: `vault /backups`, `backup shop-…` @throws KeyMismatchError */
export function requireKeys(keyRing: KeyRing, wanted: WantedKeys, what: string): void {
  requireOneOf(wanted.encryptionKeyId, [keyRing.encryptionKeyId], what);
  // Asymmetric keys cannot rotate: what an older generation has signed stays good.
  requireOneOf(wanted.signingKeyId, keyRing.verificationKeyIds, what);
}

function requireOneOf(id: string | undefined, own: readonly string[], what: string): void {
  if (id === undefined || own.includes(id)) return;
  throw new HoldfastError(
    'KeyMismatchError',
    `The key given is ${own.join(', ')}, but the ${what} needs ${id}.`,
    { evidence: { wanted: id, got: own } },
  );
}
