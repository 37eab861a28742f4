/**
 * The port for cryptography: one AWS Encryption SDK message per segment, one signature per manifest or evidence record.
 *
 * Invariant: nothing that fails authentication is ever handed out as whole; a decrypt stream that is damaged ends
 * with an error (and what it gave before that must not be trusted).
 */
import type { Duplex } from 'node:stream';

/** Bound to every ciphertext as additional authenticated data; must be given again, equal, to decrypt. */
export interface EncryptionContext {
  readonly vault: string;
  readonly source: string;
  readonly backup: string;
  /** The key of the object in the vault. */
  readonly object: string;
}

export interface Signature {
  readonly algorithm: 'Ed25519' | 'ECDSA_SHA_256';
  /** Generation of the signing key. */
  readonly keyId: string;
  /** SHA-256 of the signed document, 64 hex digits. */
  readonly digest: string;
  /** Over the 32 bytes of the digest, base64. */
  readonly signature: string;
}

export interface ObjectEncryptor {
  /**
   * A stream for one segment: plaintext in, one complete Encryption SDK message out.
   * All segments of the object share one data key, so that an object costs one request to the key service.
   */
  openSegment(): Duplex;
}

export interface KeyRing {
  /** Recorded in the manifest, so that the right key can be asked for. */
  readonly encryptionKeyId: string;
  /** Signs now. */
  readonly signingKeyId: string;
  /** Whose signatures `verify` can tell good from bad: generations of signing keys, the one that signs now among them. */
  readonly verificationKeyIds: readonly string[];
  /** For the manifest: the algorithm suite and how the key is wrapped. */
  readonly suite: string;
  readonly wrapping: 'raw-aes' | 'aws-kms-mrk';
  /** @param maxPlaintextBytes an upper bound over all segments of this object */
  encryptObject(context: EncryptionContext, maxPlaintextBytes: number): ObjectEncryptor;
  /**
   * Ends with DecryptionError when the message is damaged, cut short or bound to another context; with the key service's
   * own errors (KeyAccessDeniedError, KeyUnavailableError, KeyThrottledError …), which say nothing of the message.
   */
  decryptSegment(context: EncryptionContext): Duplex;
  sign(document: Uint8Array): Promise<Signature>;
  /** @throws SignatureInvalidError; KeyMismatchError when the signature names another key */
  verify(document: Uint8Array, signature: Signature): Promise<void>;
}
