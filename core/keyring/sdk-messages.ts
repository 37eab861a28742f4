/**
 * AWS Encryption SDK messages, as every key ring makes them: suite, frames, one data key per object, the context bound.
 * A key ring adds how data keys are wrapped.
 *
 * Invariant: each message carries exactly the four fields of its context, and opens only when all four are given again,
 * equal. The SDK's own streams are handed out: nothing of ours copies on the way.
 */
import {
  getLocalCryptographicMaterialsCache,
  NodeCachingMaterialsManager,
} from '@aws-crypto/caching-materials-manager-node';
import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type KeyringNode,
} from '@aws-crypto/material-management-node';
import { boundMaterials, plainContext } from './bound-materials.ts';
import { withDecryptionErrors } from './decryption-errors.ts';
import { guardedStream } from './guarded-stream.ts';
import type { KeyRing } from './key-ring.ts';

export const messageSuite = 'ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY';

/** As the data path gathers zstd's output: one frame is one write to the vault. */
const frameBytes = 1 << 20;
/**
 * The SDK takes the bound as a limit and throws out of a stream when it is passed, so a too tight one must not hurt:
 * 64 GiB at least. The key's own limit (2^53 bytes) then allows 131,072 segments in an object.
 */
const leastPlaintextBound = 2 ** 36;
/** A unit is written, or read, within 15 minutes; twice that. */
const dataKeyLifeMs = 30 * 60 * 1000;
/** Objects that one process writes and reads at once, with room. */
const cachedDataKeys = 64;

const commitmentPolicy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT;
const settings = { commitmentPolicy, maxEncryptedDataKeys: 1 };
const client = { ...buildEncrypt(settings), ...buildDecrypt(settings) };

/** @param keyring wraps and unwraps data keys; asked once per object, in each direction */
export function sdkMessages(
  keyring: KeyringNode,
): Pick<KeyRing, 'encryptObject' | 'decryptSegment'> {
  // The cache finds a data key by suite and context (and, to decrypt, by its wrapped form), and the context names the
  // object: one key per object.
  const materials = new NodeCachingMaterialsManager({
    backingMaterials: keyring,
    cache: getLocalCryptographicMaterialsCache(cachedDataKeys),
    maxAge: dataKeyLifeMs,
  });
  return {
    encryptObject(context, maxPlaintextBytes) {
      const options = {
        suiteId: AlgorithmSuiteIdentifier[messageSuite],
        encryptionContext: plainContext(context),
        frameLength: frameBytes,
        plaintextLength: Math.max(maxPlaintextBytes, leastPlaintextBound),
      };
      return { openSegment: () => guardedStream(client.encryptStream(materials, options)) };
    },
    decryptSegment: (context) =>
      withDecryptionErrors(
        client.decryptUnsignedMessageStream(boundMaterials(materials, context)),
        context,
      ),
  };
}
