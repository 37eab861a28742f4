/**
 * Who may use the keys. The account administers them but may not use them: a policy of IAM alone, however wide, opens
 * nothing. Use is for named roles, and of the encryption key only under the vault's own encryption context.
 *
 * The same documents go to the keys and to their replicas; a replica does not inherit its primary's.
 */
import { AccountRootPrincipal, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Environment } from '../../core/contract/environment.ts';
import { namesOf } from '../../core/contract/names.ts';
import { type KeyOf, rolesOnEncryptionKey, rolesOnSigningKey } from '../holders.ts';
import { vaultIdOf } from '../places.ts';

/** All of KMS but its use: no Encrypt, Decrypt, GenerateDataKey, ReEncrypt, Sign, CreateGrant. */
const administration = [
  ...['kms:CancelKeyDeletion', 'kms:CreateAlias', 'kms:DeleteAlias'],
  ...['kms:DescribeKey', 'kms:DisableKey', 'kms:DisableKeyRotation', 'kms:EnableKey'],
  ...['kms:EnableKeyRotation', 'kms:GetKeyPolicy', 'kms:GetKeyRotationStatus'],
  ...['kms:ListGrants', 'kms:ListKeyPolicies', 'kms:ListKeyRotations'],
  ...['kms:ListResourceTags', 'kms:PutKeyPolicy', 'kms:ReplicateKey', 'kms:RevokeGrant'],
  ...['kms:RotateKeyOnDemand', 'kms:ScheduleKeyDeletion', 'kms:TagResource'],
  ...['kms:UntagResource', 'kms:UpdateAlias', 'kms:UpdateKeyDescription'],
  'kms:UpdatePrimaryRegion',
];

const allow = (sid: string, actions: string[], conditions: Record<string, unknown> = {}) =>
  new PolicyStatement({
    ...{ sid, actions, conditions, resources: ['*'], principals: [new AccountRootPrincipal()] },
  });

const isOneOf = (arns: readonly string[]) => ({ ArnEquals: { 'aws:PrincipalArn': arns } });

export function encryptionKeyPolicy(environment: Environment, key: KeyOf): PolicyDocument {
  const ofVault = {
    StringEquals: { 'kms:EncryptionContext:vault': vaultIdOf(environment) },
  };
  const { account, name } = environment;
  const breakGlass = `arn:aws:iam::${account}:role/${namesOf(name).breakGlassRole}`;
  const wraps = rolesOnEncryptionKey(environment, key, 'kms:GenerateDataKey');
  const unwraps = [...rolesOnEncryptionKey(environment, key, 'kms:Decrypt'), breakGlass];
  return new PolicyDocument({
    statements: [
      allow('Administer', administration),
      allow('Wrap', ['kms:GenerateDataKey'], { ...isOneOf(wraps), ...ofVault }),
      // A person opens a backup with stock tools as the break-glass role (docs/restore.md).
      allow('Unwrap', ['kms:Decrypt'], { ...isOneOf(unwraps), ...ofVault }),
    ],
  });
}

export function signingKeyPolicy(environment: Environment, key: KeyOf): PolicyDocument {
  const signers = rolesOnSigningKey(environment, key, 'kms:Sign');
  return new PolicyDocument({
    statements: [
      allow('Administer', administration),
      allow('Sign', ['kms:Sign'], isOneOf(signers)),
      // Public halves are no secret: whom IAM lets may read and use them.
      allow('Check', ['kms:GetPublicKey', 'kms:Verify']),
    ],
  });
}
