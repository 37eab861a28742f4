/**
 * Wraps data keys by a multi-Region key of KMS: the SDK's MRK-aware key ring on the client that is given.
 *
 * Invariant: the key is the one that was named, or its twin in another Region; a failure of KMS keeps its name, which the
 * SDK by itself folds into one error text for all.
 */
import { AwsKmsMrkAwareSymmetricKeyringNode } from '@aws-crypto/kms-keyring-node';
import {
  type EncryptedDataKey,
  KeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { kmsError } from './kms-errors.ts';

type SdkClient = ConstructorParameters<typeof AwsKmsMrkAwareSymmetricKeyringNode>[0]['client'];

export class KmsDataKeys extends KeyringNode {
  readonly #kms: KMSClient;
  readonly #keyArn: string;

  /** @param keyArn of the key in the Region of the client */
  constructor(kms: KMSClient, keyArn: string) {
    super();
    this.#kms = kms;
    this.#keyArn = keyArn;
  }

  override _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    return this.#withSdk((sdk) => sdk._onEncrypt(material));
  }

  override _onDecrypt(
    material: NodeDecryptionMaterial,
    wrapped: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    return this.#withSdk((sdk) => sdk._onDecrypt(material, wrapped));
  }

  /** A key ring of the SDK for one request, so that the failure found is the one of this request. */
  async #withSdk<T>(
    work: (sdk: InstanceType<typeof AwsKmsMrkAwareSymmetricKeyringNode>) => Promise<T>,
  ): Promise<T> {
    const failures: unknown[] = [];
    const named =
      <Input, Output>(action: string, send: (input: Input) => Promise<Output>) =>
      async (input: Input): Promise<Output> => {
        try {
          return await send(input);
        } catch (error) {
          failures.push(kmsError(error, action, this.#keyArn));
          throw error;
        }
      };
    // The SDK brings types of an older client; requests and answers are the same.
    const client = {
      generateDataKey: named('kms:GenerateDataKey', (input: never) =>
        this.#kms.send(new GenerateDataKeyCommand(input)),
      ),
      encrypt: named('kms:Encrypt', (input: never) => this.#kms.send(new EncryptCommand(input))),
      decrypt: named('kms:Decrypt', (input: never) => this.#kms.send(new DecryptCommand(input))),
    } as unknown as SdkClient;
    try {
      return await work(new AwsKmsMrkAwareSymmetricKeyringNode({ client, keyId: this.#keyArn }));
    } catch (error) {
      throw failures[0] ?? error;
    }
  }
}
