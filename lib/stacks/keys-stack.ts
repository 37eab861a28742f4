/**
 * The keys, in the primary Region: one wraps the data keys of backups, the others sign manifests and evidence.
 *
 * Multi-Region, so that the other Region opens and checks backups with this one gone. An asymmetric key cannot rotate:
 * `signingKeys: 2` in the environment makes a second one that signs from then on, and keeps the first to check with
 * (docs/adr/0012-stateful-stacks.md).
 */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Alias, Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf } from '../../core/contract/names.ts';
import { encryptionKeyPolicy, signingKeyPolicy } from '../constructs/key-policies.ts';
import { primaryPlaceOf } from '../places.ts';

export interface KeysStackProps extends StackProps {
  readonly environment: Environment;
}

/** As long as KMS allows: a key that is gone takes every backup with it. */
const pendingWindow = Duration.days(30);

export class KeysStack extends Stack {
  readonly encryptionKey: Key;
  /** Oldest first; the last one signs. */
  readonly signingKeys: readonly Key[];

  constructor(scope: Construct, id: string, { environment, ...props }: KeysStackProps) {
    super(scope, id, {
      ...props,
      env: primaryPlaceOf(environment),
      terminationProtection: true,
      description: `Holdfast ${environment.name}: keys of the backups`,
    });
    const { encryptionKeyAlias, signingKeyAlias } = namesOf(environment.name);
    this.encryptionKey = new Key(this, 'EncryptionKey', {
      description: `Holdfast ${environment.name}: wraps the data keys of backups`,
      policy: encryptionKeyPolicy(environment, 'primary'),
      multiRegion: true,
      enableKeyRotation: true,
      ...{ pendingWindow, removalPolicy: RemovalPolicy.RETAIN },
    });
    this.signingKeys = Array.from(
      { length: environment.signingKeys },
      (_, index) =>
        new Key(this, signingKeyId(index), {
          description: `Holdfast ${environment.name}: signs manifests and evidence (${index + 1})`,
          policy: signingKeyPolicy(environment, 'primary'),
          multiRegion: true,
          ...{ keySpec: KeySpec.ECC_NIST_P256, keyUsage: KeyUsage.SIGN_VERIFY },
          ...{ pendingWindow, removalPolicy: RemovalPolicy.RETAIN },
        }),
    );
    new Alias(this, 'EncryptionAlias', {
      aliasName: encryptionKeyAlias,
      targetKey: this.encryptionKey,
    });
    new Alias(this, 'SigningAlias', { aliasName: signingKeyAlias, targetKey: this.signs });

    new CfnOutput(this, 'EncryptionKeyArn', { value: this.encryptionKey.keyArn });
    new CfnOutput(this, 'SigningKeyArn', { value: this.signs.keyArn });
  }

  /** The key that signs now. */
  get signs(): Key {
    const newest = this.signingKeys.at(-1);
    if (newest === undefined) throw new Error('An environment has at least one signing key.');
    return newest;
  }
}

/** `SigningKey`, `SigningKey2`, …: the first keeps its id when a second comes. */
export const signingKeyId = (index: number): string =>
  index === 0 ? 'SigningKey' : `SigningKey${index + 1}`;
