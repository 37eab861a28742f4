/** What every key ring says of a signature in the same words. */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../contract/errors.ts';
import type { Signature } from './key-ring.ts';

/** SHA-256, 32 bytes: what is signed. */
export const digestOf = (document: Uint8Array): Buffer =>
  createHash('sha256').update(document).digest();

/** The signature names a key that is not among those that are trusted. */
export const foreignSignature = ({ keyId }: Signature, trusted: readonly string[]) =>
  new HoldfastError(
    'KeyMismatchError',
    `The signature was made with key ${keyId}; trusted ${trusted.length === 1 ? 'is' : 'are'} ${trusted.join(', ')}.`,
    { evidence: { wanted: keyId, got: trusted } },
  );

/** @throws SignatureInvalidError when `isGood` says so, or the signature is of another algorithm or document */
export function requireGoodSignature(
  document: Uint8Array,
  signature: Signature,
  algorithm: Signature['algorithm'],
  isGood: (digest: Buffer, bytes: Buffer) => boolean,
): void {
  const digest = digestOf(document);
  if (
    signature.algorithm === algorithm &&
    signature.digest === digest.toString('hex') &&
    isGood(digest, Buffer.from(signature.signature, 'base64'))
  ) {
    return;
  }
  throw new HoldfastError(
    'SignatureInvalidError',
    `The signature by ${signature.keyId} does not belong to this document.`,
    { evidence: { signedDigest: signature.digest, digest: digest.toString('hex') } },
  );
}
