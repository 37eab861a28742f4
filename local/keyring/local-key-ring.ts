/** `KeyRing` with a key file: data keys wrapped by a raw AES key, Ed25519 signatures. */
import { sign, verify } from 'node:crypto';
import type { KeyringNode } from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import type { KeyRing, Signature } from '../../core/keyring/key-ring.ts';
import { messageSuite, sdkMessages } from '../../core/keyring/sdk-messages.ts';
import { digestOf, foreignSignature, requireGoodSignature } from '../../core/keyring/signatures.ts';
import type { LoadedKeyFile } from './key-file.ts';

/** Stock tools need it beside the key: the provider (namespace) of the raw AES key; its name is the key id. */
export const rawKeyNamespace = 'holdfast';

/** @param keyring for tests that count its requests; by default the raw AES key ring of the file */
export function openLocalKeyRing(
  keyFile: LoadedKeyFile,
  keyring: KeyringNode = rawAesKeyring(keyFile),
): KeyRing {
  const { encryptionKeyId, signingKeyId, signingKey, publicKey } = keyFile;
  return {
    encryptionKeyId,
    signingKeyId,
    verificationKeyIds: [signingKeyId],
    suite: messageSuite,
    wrapping: 'raw-aes',
    ...sdkMessages(keyring),

    async sign(document: Uint8Array): Promise<Signature> {
      const digest = digestOf(document);
      return {
        algorithm: 'Ed25519',
        keyId: signingKeyId,
        digest: digest.toString('hex'),
        signature: sign(null, digest, signingKey).toString('base64'),
      };
    },

    async verify(document: Uint8Array, signature: Signature): Promise<void> {
      if (signature.keyId !== signingKeyId) throw foreignSignature(signature, [signingKeyId]);
      requireGoodSignature(document, signature, 'Ed25519', (digest, bytes) =>
        verify(null, digest, publicKey, bytes),
      );
    },
  };
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
