/**
 * The wrong key file is told before anything is read with it: by ids, which are hashes of the keys.
 */
import { HoldfastError } from '../contract/errors.ts';
import type { KeyRing } from './key-ring.ts';

export interface WantedKeys {
  readonly encryptionKeyId?: string;
  readonly signingKeyId?: string;
}

/** @param what names whose keys these are: `vault /backups`, `backup shop-…` @throws KeyMismatchError */
export function requireKeys(keyRing: KeyRing, wanted: WantedKeys, what: string): void {
  for (const field of ['encryptionKeyId', 'signingKeyId'] as const) {
    const id = wanted[field];
    if (id === undefined || id === keyRing[field]) continue;
    throw new HoldfastError(
      'KeyMismatchError',
      `The key file has key ${keyRing[field]}, but the ${what} needs ${id}.`,
      { evidence: { wanted: id, got: keyRing[field] } },
    );
  }
}
