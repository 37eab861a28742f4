import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { functionEnvNames } from '../../core/contract/env.ts';
import { isHoldfastError } from '../../core/contract/errors.ts';
import { functionEnvironment } from '../../lambdas/environment.ts';

const key = (region: string, id: string) => `arn:aws:kms:${region}:123456789012:key/mrk-${id}`;
const good = {
  [functionEnvNames.environment]: 'prod',
  [functionEnvNames.vaultBucket]: 'holdfast-prod-vault-123456789012-eu-central-1',
  [functionEnvNames.workspaceBucket]: 'holdfast-prod-workspace-123456789012-eu-central-1',
  [functionEnvNames.vaultId]: 'holdfast-prod-123456789012-eu-central-1',
  [functionEnvNames.encryptionKey]: key('eu-central-1', '1'),
  [functionEnvNames.signingKey]: key('eu-central-1', '2'),
  [functionEnvNames.lockMode]: 'GOVERNANCE',
  AWS_REGION: 'eu-central-1',
};
const replica = {
  [functionEnvNames.replicaBucket]: 'holdfast-prod-vault-123456789012-eu-west-1',
  [functionEnvNames.replicaRegion]: 'eu-west-1',
  [functionEnvNames.replicaEncryptionKey]: key('eu-west-1', '1'),
};

function refusal(env: Record<string, string>): string {
  try {
    functionEnvironment(env);
  } catch (error) {
    if (isHoldfastError(error, 'ConfigurationError')) return error.message;
    throw error;
  }
  throw new Error('It was accepted.');
}

it('reads what the stacks set; a variable that is empty counts as not set', () => {
  const read = functionEnvironment({ ...good, [functionEnvNames.recordFunction]: '' });
  expect(read).toMatchObject({
    environment: 'prod',
    region: 'eu-central-1',
    signingPublicKeys: [],
  });
  expect(read.recordFunction).toBeUndefined();
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const publicKeys = [{ keyId: `mrk-${'2'.repeat(32)}`, publicKey: pem }];
  const pinned = { [functionEnvNames.signingPublicKeys]: JSON.stringify(publicKeys) };
  const full = functionEnvironment({ ...good, ...replica, ...pinned });
  expect(full).toMatchObject({ signingPublicKeys: publicKeys, replicaRegion: 'eu-west-1' });
});

it.each(Object.keys(good))('names %s when it is not set', (name) => {
  const { [name]: _, ...rest } = good as Record<string, string>;
  expect(refusal(rest)).toContain(`${name} is not set; `);
});

it.each([
  [functionEnvNames.lockMode, 'OFF', 'GOVERNANCE or COMPLIANCE'],
  [functionEnvNames.encryptionKey, 'alias/mine', 'arn:aws:kms:'],
  [functionEnvNames.vaultBucket, 'A B', 'a bucket name'],
  [functionEnvNames.signingPublicKeys, 'no json', 'array'],
  [functionEnvNames.signingPublicKeys, '[{"keyId":"mine"}]', 'mrk-'],
])('refuses %s=%s with what is allowed', (name, value, allowed) => {
  const message = refusal({ ...good, [name]: value });
  expect(message).toContain(`${name} is ${JSON.stringify(value)}; `);
  expect(message).toContain(allowed);
});

it('takes a replica whole or not at all', () => {
  const { [functionEnvNames.replicaRegion]: _, ...half } = replica;
  expect(refusal({ ...good, ...half })).toContain(`${functionEnvNames.replicaRegion} is not set`);
});
