import { describe, expect, test } from 'vitest';
import { lifecycleRulesOf } from '../../core/backup/retention.ts';
import { actionsOf, rolesIn, statement, statementsIn } from './policies.ts';
import { environmentOf, type Resource, resourcesOf, synthesize } from './synthesize.ts';

const worlds = [environmentOf('example'), environmentOf('everything')].map((environment) => ({
  environment,
  synthesized: synthesize(environment),
}));
const buckets = worlds.flatMap(({ synthesized }) => resourcesOf(synthesized, 'AWS::S3::Bucket'));
const policies = worlds.flatMap(({ synthesized }) =>
  resourcesOf(synthesized, 'AWS::S3::BucketPolicy'),
);
const nameOf = ({ Properties }: Resource) => String(Properties['BucketName']);
const vaults = buckets.filter(({ resource }) => nameOf(resource).includes('-vault-'));

function worldOf(stack: string) {
  const world = worlds.find(({ synthesized }) => synthesized.stacks.has(stack));
  if (world === undefined) throw new Error(`${stack} is in no environment`);
  return world;
}

/** The policy of the bucket of that logical id in that stack. */
function policyOf(stack: string, id: string): Resource {
  const found = policies.find(
    (policy) =>
      policy.stack === stack &&
      (policy.resource.Properties['Bucket'] as { Ref: string }).Ref === id,
  );
  if (found === undefined) throw new Error(`${stack}: ${id} has no policy`);
  return found.resource;
}

test('logical ids of what holds data never change: a changed id is a lost vault', () => {
  const ids = new Set(buckets.map(({ stack, id }) => `${stack.split('-')[2]} ${id}`));
  expect([...ids].sort()).toEqual([
    'ReplicaVault VaultAccessLogBucketDE04FD86',
    'ReplicaVault VaultBucket0925C477',
    'Trail TrailBucket6C1E344E',
    'Vault VaultAccessLogBucketDE04FD86',
    'Vault VaultBucket0925C477',
    'Workspace WorkspaceBucket1A82A213',
  ]);
});

test('unless the environment says otherwise, CloudFormation is the role of the bootstrap without a qualifier of its own', () => {
  expect(environmentOf('example').deployRoles).toEqual(['cdk-hnb659fds-cfn-exec-role-*']);
  const settings = statement(
    policyOf('Holdfast-example-Vault-eu-central-1', 'VaultBucket0925C477'),
    'OnlyDeploymentConfigures',
  );
  expect(rolesIn(settings, 'ArnNotLike')).toEqual([
    'cdk-hnb659fds-cfn-exec-role-*',
    'holdfast-example-break-glass',
  ]);
});

test('each bucket is named by what it is, so that the other Region finds it without asking', () => {
  expect(buckets.map(({ resource }) => nameOf(resource)).sort()).toEqual([
    'holdfast-everything-log-111122223333-eu-central-1',
    'holdfast-everything-log-444455556666-eu-west-1',
    'holdfast-everything-trail-111122223333-eu-central-1',
    'holdfast-everything-trail-111122223333-eu-west-1',
    'holdfast-everything-vault-111122223333-eu-central-1',
    'holdfast-everything-vault-444455556666-eu-west-1',
    'holdfast-everything-workspace-111122223333-eu-central-1',
    'holdfast-everything-workspace-111122223333-eu-west-1',
    'holdfast-example-log-111122223333-eu-central-1',
    'holdfast-example-log-111122223333-eu-west-1',
    'holdfast-example-trail-111122223333-eu-central-1',
    'holdfast-example-trail-111122223333-eu-west-1',
    'holdfast-example-vault-111122223333-eu-central-1',
    'holdfast-example-vault-111122223333-eu-west-1',
    'holdfast-example-workspace-111122223333-eu-central-1',
    'holdfast-example-workspace-111122223333-eu-west-1',
  ]);
});

test('a stack that holds data is kept from deletion, and what it holds outlives it', () => {
  for (const { stack, resource } of buckets) {
    expect(resource, nameOf(resource)).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
    const { stacks } = worldOf(stack).synthesized;
    expect(stacks.get(stack)?.terminationProtection, stack).toBe(true);
  }
});

test.each(buckets.map((one) => [nameOf(one.resource), one] as const))(
  '%s is encrypted, closed to the public and to plain HTTP, and belongs to its account alone',
  (_, { stack, id, resource }) => {
    expect(resource.Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    const denials = statementsIn(policyOf(stack, id)).filter(({ Effect }) => Effect === 'Deny');
    expect(denials.map(({ Action, Condition }) => ({ Action, Condition }))).toEqual(
      expect.arrayContaining([
        { Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        { Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
      ]),
    );
  },
);

describe.each(vaults.map((one) => [nameOf(one.resource), one] as const))(
  '%s',
  (name, { stack, id, resource }) => {
    const { environment } = worldOf(stack);
    const policy = policyOf(stack, id);

    test('is versioned and locked from birth, in the mode of the environment', () => {
      expect(resource.Properties).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: {
            DefaultRetention: { Mode: environment.lock.mode, Days: environment.lock.defaultDays },
          },
        },
      });
    });

    test('tells EventBridge and the access log, with no function in between', () => {
      expect(resource.Properties).toMatchObject({
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
        LoggingConfiguration: { LogFilePrefix: 'vault/' },
      });
      const found = worlds.flatMap(({ synthesized }) =>
        resourcesOf(synthesized, 'AWS::Lambda::Function', 'Custom::S3BucketNotifications'),
      );
      expect(found.filter((one) => one.stack === stack)).toEqual([]);
    });

    test('has every rule of the policy, word for word', () => {
      const { Rules } = resource.Properties['LifecycleConfiguration'] as { Rules: object[] };
      const expected = lifecycleRulesOf(environment.sources).map((rule) => ({
        Id: rule.id,
        Status: 'Enabled',
        ...(rule.prefix !== '' && { Prefix: rule.prefix }),
        ...(rule.tag && { TagFilters: [{ Key: rule.tag.key, Value: rule.tag.value }] }),
        ...(rule.largerThanBytes && { ObjectSizeGreaterThan: String(rule.largerThanBytes) }),
        ...(rule.expirationDays && { ExpirationInDays: rule.expirationDays }),
        ...(rule.noncurrentDays && {
          NoncurrentVersionExpiration: { NoncurrentDays: rule.noncurrentDays },
        }),
        ...(rule.abortUploadDays && {
          AbortIncompleteMultipartUpload: { DaysAfterInitiation: rule.abortUploadDays },
        }),
        ...(rule.removesExpiredDeleteMarkers && { ExpiredObjectDeleteMarker: true }),
        ...(rule.transition && {
          Transitions: [
            {
              StorageClass: rule.transition.storageClass,
              TransitionInDays: rule.transition.afterDays,
            },
          ],
        }),
      }));
      expect(Rules).toEqual(expected);
    });

    test('takes an object once: a put that does not ask for a new key is denied, a part of an upload is not', () => {
      const once = statement(policy, 'WriteOnce');
      expect({ ...once, Resource: undefined }).toEqual({
        Sid: 'WriteOnce',
        Effect: 'Deny',
        Action: 's3:PutObject',
        Principal: { AWS: '*' },
        Condition: {
          Null: { 's3:if-none-match': 'true' },
          Bool: { 's3:ObjectCreationOperation': 'true' },
        },
      });
    });

    test('nobody deletes in it or passes its locks but a role that no stack makes', () => {
      const nobody = statement(policy, 'NobodyDeletes');
      expect(actionsOf(nobody)).toEqual([
        's3:BypassGovernanceRetention',
        's3:DeleteObject',
        's3:DeleteObjectVersion',
      ]);
      expect(rolesIn(nobody, 'ArnNotLike')).toEqual([`holdfast-${environment.name}-break-glass`]);
      const roles = worlds.flatMap(({ synthesized }) => resourcesOf(synthesized, 'AWS::IAM::Role'));
      expect(roles.map((role) => role.resource.Properties['RoleName'])).not.toContain(
        `holdfast-${environment.name}-break-glass`,
      );
    });

    test('tags and locks are changed by functions that put or keep backups, not by people', () => {
      const roles = rolesIn(statement(policy, 'OnlyHoldfastMarks'), 'ArnNotLike');
      const holders = new Set(roles.map((role) => role.split('-')[2]));
      expect([...holders]).toEqual(
        expect.arrayContaining(['DumpUnit', 'Publish', 'Seal', 'Replication']),
      );
      for (const reader of ['LoadUnit', 'VerifyUnit', 'CompareUnit', 'Cutover', 'Plan', 'Fail']) {
        expect(holders).not.toContain(reader);
      }
    });

    test('its settings are changed by CloudFormation alone', () => {
      const settings = statement(policy, 'OnlyDeploymentConfigures');
      expect(actionsOf(settings)).toEqual(
        expect.arrayContaining([
          's3:PutLifecycleConfiguration',
          's3:PutBucketObjectLockConfiguration',
          's3:PutReplicationConfiguration',
          's3:PutBucketPolicy',
        ]),
      );
      expect(rolesIn(settings, 'ArnNotLike')).toEqual(
        [`holdfast-${environment.name}-break-glass`, ...environment.deployRoles].sort(),
      );
      expect(settings.Condition?.['ForAllValues:StringNotEquals']).toEqual({
        'aws:CalledVia': 'cloudformation.amazonaws.com',
      });
    });

    test('its policy is shorter than the 20 KB that S3 takes', () => {
      expect(JSON.stringify(policy.Properties['PolicyDocument']).length).toBeLessThan(20_480);
      expect(name.length).toBeLessThanOrEqual(63);
    });
  },
);
