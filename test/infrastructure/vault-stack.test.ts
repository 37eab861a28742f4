import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, expect, test } from 'vitest';
import { VaultStack } from '../../lib/vault-stack.ts';

let app: App;
let stack: VaultStack;
let template: Template;

beforeAll(() => {
  app = new App();
  stack = new VaultStack(app, 'Holdfast-test-Vault', {
    environment: 'test',
    terminationProtection: true,
  });
  template = Template.fromStack(stack);
});

test('logical ids of what holds data never change: a changed id is a lost vault', () => {
  const stateful = [
    ...Object.keys(template.findResources('AWS::S3::Bucket')),
    ...Object.keys(template.findResources('AWS::KMS::Key')),
  ];
  expect(stateful.sort()).toEqual([
    'EncryptionKey1B843E66',
    'SigningKeyEEFC2790',
    'Vault23237E5B',
    'VaultAccessLogE1C04F59',
  ]);
});

test('every bucket and key outlives the stack', () => {
  for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key']) {
    template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  }
  expect(stack.terminationProtection).toBe(true);
});

test('the vault is versioned, locked, encrypted and closed to the public', () => {
  template.hasResourceProperties('AWS::S3::Bucket', {
    ObjectLockEnabled: true,
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    },
    VersioningConfiguration: { Status: 'Enabled' },
  });
  template.allResourcesProperties('AWS::S3::Bucket', {
    BucketEncryption: Match.anyValue(),
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
  });
});

test('plain HTTP is denied on every bucket', () => {
  const buckets = Object.keys(template.findResources('AWS::S3::Bucket'));
  const policies = Object.values(template.findResources('AWS::S3::BucketPolicy'));
  const closed = policies.filter((policy) =>
    JSON.stringify(policy).includes('"aws:SecureTransport":"false"'),
  );
  expect(closed.map((policy) => policy.Properties.Bucket.Ref).sort()).toEqual(buckets.sort());
});

test('content keys rotate, both keys are multi-Region', () => {
  template.allResourcesProperties('AWS::KMS::Key', { MultiRegion: true });
  template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  template.hasResourceProperties('AWS::KMS::Key', {
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
  });
});

test('cdk-nag AwsSolutions finds nothing but that the log bucket keeps no log of itself', () => {
  const { violations } = new AwsSolutionsChecks(app).validateScope(stack);
  const found = violations.map((violation) => violation.ruleName);
  expect(found.filter((name) => !name.includes('S1'))).toEqual([]);
});
