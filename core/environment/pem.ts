/** What is said in PEM must be what it is taken for: a wrong one would show only when a backup is checked, or a server met. */
import { createPublicKey, X509Certificate } from 'node:crypto';

/** A public key that ECDSA_SHA_256 signatures are checked with. */
export function isSigningKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

export function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
