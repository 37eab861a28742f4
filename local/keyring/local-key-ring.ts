/**
 * `KeyRing` with a key file: AWS Encryption SDK with a raw AES key, Ed25519 signatures.
 *
 * Invariant: each message carries exactly the four fields of its context, and opens only when all four are given again,
 * equal. The SDK's own streams are handed out: nothing of ours copies on the way.
 */
import { createHash, sign, verify } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  type KeyringNode,
  NodeCachingMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { HoldfastError } from '../../core/contract/errors.ts';
import type {
  EncryptionContext,
  KeyRing,
  ObjectEncryptor,
  Signature,
} from '../../core/keyring/key-ring.ts';
import { boundMaterials, plainContext } from './bound-materials.ts';
import { withDecryptionErrors } from './decryption-errors.ts';
import { guardedStream } from './guarded-stream.ts';
import type { LoadedKeyFile } from './key-file.ts';

/** Stock tools need it beside the key: the provider (namespace) of the raw AES key; its name is the key id. */
export const rawKeyNamespace = 'holdfast';

/** As the data path gathers zstd's output: one frame is one write to the vault. */
const frameBytes = 1 << 20;
/**
 * The SDK takes the bound as a limit and throws out of a stream when it is passed, so a too tight one must not hurt:
 * 64 GiB at least. The key's own limit (2^53 bytes) then allows 131,072 segments in an object.
 */
const leastPlaintextBound = 2 ** 36;
/** A unit is written within 15 minutes; twice that. */
const dataKeyLifeMs = 30 * 60 * 1000;
/** Objects that one process writes at once, with room. */
const cachedDataKeys = 64;

/** @param keyring for tests that count its requests; by default the raw AES key ring of the file */
export function openLocalKeyRing(keyFile: LoadedKeyFile, keyring?: KeyringNode): KeyRing {
  return new LocalKeyRing(keyFile, keyring ?? rawAesKeyring(keyFile));
}

export function rawAesKeyring(keyFile: LoadedKeyFile): RawAesKeyringNode {
  // The SDK zeroes and keeps what it is given: a copy of its own, not shared with anything.
  const unencryptedMasterKey = new Uint8Array(keyFile.encryptionKey);
  return new RawAesKeyringNode({
    keyName: keyFile.encryptionKeyId,
    keyNamespace: rawKeyNamespace,
    unencryptedMasterKey,
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
}

class LocalKeyRing implements KeyRing {
  readonly encryptionKeyId: string;
  readonly signingKeyId: string;
  readonly suite = 'ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY';
  readonly wrapping = 'raw-aes';
  readonly #keyFile: LoadedKeyFile;
  readonly #keyring: KeyringNode;
  readonly #encryptMaterials: NodeCachingMaterialsManager;
  readonly #client = buildClient({
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: 1,
  });

  constructor(keyFile: LoadedKeyFile, keyring: KeyringNode) {
    this.encryptionKeyId = keyFile.encryptionKeyId;
    this.signingKeyId = keyFile.signingKeyId;
    this.#keyFile = keyFile;
    this.#keyring = keyring;
    // The cache finds a data key by suite and context, and the context names the object: one key per object.
    this.#encryptMaterials = new NodeCachingMaterialsManager({
      backingMaterials: keyring,
      cache: getLocalCryptographicMaterialsCache(cachedDataKeys),
      maxAge: dataKeyLifeMs,
    });
  }

  encryptObject(context: EncryptionContext, maxPlaintextBytes: number): ObjectEncryptor {
    const options = {
      suiteId: AlgorithmSuiteIdentifier[this.suite],
      encryptionContext: plainContext(context),
      frameLength: frameBytes,
      plaintextLength: Math.max(maxPlaintextBytes, leastPlaintextBound),
    };
    return {
      openSegment: () => guardedStream(this.#client.encryptStream(this.#encryptMaterials, options)),
    };
  }

  decryptSegment(context: EncryptionContext): Duplex {
    const materials = boundMaterials(this.#keyring, context);
    return withDecryptionErrors(this.#client.decryptUnsignedMessageStream(materials), context);
  }

  async sign(document: Uint8Array): Promise<Signature> {
    const digest = createHash('sha256').update(document).digest();
    return {
      algorithm: 'Ed25519',
      keyId: this.signingKeyId,
      digest: digest.toString('hex'),
      signature: sign(null, digest, this.#keyFile.signingKey).toString('base64'),
    };
  }

  async verify(document: Uint8Array, signature: Signature): Promise<void> {
    if (signature.keyId !== this.signingKeyId) {
      throw new HoldfastError(
        'KeyMismatchError',
        `The signature was made with key ${signature.keyId}; the key file has ${this.signingKeyId}.`,
        { evidence: { wanted: signature.keyId, got: this.signingKeyId } },
      );
    }
    const digest = createHash('sha256').update(document).digest();
    const isGood =
      signature.algorithm === 'Ed25519' &&
      signature.digest === digest.toString('hex') &&
      verify(null, digest, this.#keyFile.publicKey, Buffer.from(signature.signature, 'base64'));
    if (!isGood) {
      throw new HoldfastError(
        'SignatureInvalidError',
        `The signature by ${signature.keyId} does not belong to this document.`,
        { evidence: { signedDigest: signature.digest, digest: digest.toString('hex') } },
      );
    }
  }
}
