/**
 * Replicas of the keys in the second Region: the same key material and ids, with which everything there works while the
 * primary Region is gone. In the first account, wherever the copy of the vault is: a replica cannot leave its account.
 *
 * The ARNs of their primaries are the only values that one Region takes from the other (Fn::GetStackOutput, when this
 * stack is deployed), until the environment pins the keys' ids. From then on they stand in the template: a changed
 * PrimaryKeyArn replaces a replica, and of a value that is known only after a deployment CloudFormation has to plan for
 * that. They need not be taken again: this stack has no reason to change while the primary is gone.
 */
import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnAlias, CfnReplicaKey, type Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf, type Place } from '../../core/contract/names.ts';
import { encryptionKeyPolicy, signingKeyPolicy } from '../constructs/key-policies.ts';
import { primaryPlaceOf } from '../places.ts';
import { type KeysStack, signingKeyId } from './keys-stack.ts';

export interface ReplicaKeysStackProps extends StackProps {
  readonly environment: Environment;
  readonly place: Place;
  readonly keys: KeysStack;
}

export class ReplicaKeysStack extends Stack {
  readonly encryptionKeyArn: string;
  /** Of the key that signs now. */
  readonly signingKeyArn: string;

  constructor(
    scope: Construct,
    id: string,
    { environment, place, keys, ...props }: ReplicaKeysStackProps,
  ) {
    super(scope, id, {
      ...props,
      env: place,
      terminationProtection: true,
      description: `Holdfast ${environment.name}: replicas of the keys of the backups`,
    });
    const { encryptionKeyAlias, signingKeyAlias } = namesOf(environment.name);
    const { account, region } = primaryPlaceOf(environment);
    const primaryArn = (pinned: string | undefined, { keyArn }: Key): string =>
      pinned === undefined ? keyArn : `arn:aws:kms:${region}:${account}:key/${pinned}`;
    const replica = (name: string, primaryKeyArn: string, keyPolicy: unknown, what: string) => {
      const key = new CfnReplicaKey(this, name, {
        description: `Holdfast ${environment.name}: ${what}`,
        ...{ primaryKeyArn, keyPolicy, pendingWindowInDays: 30 },
      });
      key.applyRemovalPolicy(RemovalPolicy.RETAIN);
      return key;
    };
    const encryptionKey = replica(
      'EncryptionKey',
      primaryArn(environment.encryptionKeyId, keys.encryptionKey),
      encryptionKeyPolicy(environment, 'replica'),
      'wraps the data keys of backups (replica)',
    );
    const signingKeys = keys.signingKeys.map((key, index) =>
      replica(
        signingKeyId(index),
        primaryArn(environment.signingPublicKeys[index]?.keyId, key),
        signingKeyPolicy(environment, 'replica'),
        `signs manifests and evidence (${index + 1}, replica)`,
      ),
    );
    const signs = signingKeys.at(-1);
    if (signs === undefined) throw new Error('An environment has at least one signing key.');
    new CfnAlias(this, 'EncryptionAlias', {
      aliasName: encryptionKeyAlias,
      targetKeyId: encryptionKey.ref,
    });
    new CfnAlias(this, 'SigningAlias', { aliasName: signingKeyAlias, targetKeyId: signs.ref });

    this.encryptionKeyArn = encryptionKey.attrArn;
    this.signingKeyArn = signs.attrArn;
  }
}
