import { join } from 'node:path';
import {
  type EncryptedDataKey,
  KeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import { describe } from 'vitest';
import { createKeyFile, type LoadedKeyFile } from '../../local/keyring/key-file.ts';
import { openLocalKeyRing, rawAesKeyring } from '../../local/keyring/local-key-ring.ts';
import { keyRingContract } from '../support/key-ring-contract.ts';
import { temporaryFolders } from '../support/temporary-folder.ts';

const folder = temporaryFolders();
const newKeyFile = async () => createKeyFile(join(await folder(), 'key.json'));

class CountingKeyring extends KeyringNode {
  made = 0;
  opened = 0;
  readonly #inner: KeyringNode;
  constructor(keyFile: LoadedKeyFile) {
    super();
    this.#inner = rawAesKeyring(keyFile);
  }
  override async _onEncrypt(material: NodeEncryptionMaterial) {
    this.made += 1;
    return this.#inner._onEncrypt(material);
  }
  override async _onDecrypt(material: NodeDecryptionMaterial, wrapped: EncryptedDataKey[]) {
    this.opened += 1;
    return this.#inner._onDecrypt(material, wrapped);
  }
}

describe('the key ring of a key file', () => {
  keyRingContract(async () => {
    const keyFile = await newKeyFile();
    return {
      algorithm: 'Ed25519',
      wrapping: 'raw-aes',
      keyRing: openLocalKeyRing(keyFile),
      other: openLocalKeyRing(await newKeyFile()),
      counting() {
        const keyring = new CountingKeyring(keyFile);
        const ring = openLocalKeyRing(keyFile, keyring);
        return { ring, made: () => keyring.made, opened: () => keyring.opened };
      },
    };
  });
});
