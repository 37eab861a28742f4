import { describe, expect, test } from 'vitest';
import { actionsOf, rolesIn, statement, statementsIn } from './policies.ts';
import { environmentOf, type Resource, resourcesOf, synthesize } from './synthesize.ts';

const everything = synthesize(environmentOf('everything'));
const keysOf = (region: string): ReadonlyMap<string, Resource> =>
  new Map(
    resourcesOf(everything, 'AWS::KMS::Key', 'AWS::KMS::ReplicaKey')
      .filter(({ stack }) => stack.includes('Keys') && stack.endsWith(region))
      .map(({ id, resource }) => [id, resource]),
  );
const primary = keysOf('eu-central-1');
const replica = keysOf('eu-west-1');
const key = (keys: ReadonlyMap<string, Resource>, id: string): Resource => {
  const found = [...keys].find(([logicalId]) => logicalId.replace(/[0-9A-F]{8}$/, '') === id);
  if (found === undefined) throw new Error(`${id}: there are ${[...keys.keys()].join(', ')}`);
  return found[1];
};

test('logical ids of keys never change: a changed id is a key that no backup was made with', () => {
  expect([...primary.keys()].sort()).toEqual([
    'EncryptionKey1B843E66',
    'SigningKey20E4B42C1',
    'SigningKeyEEFC2790',
  ]);
  expect([...replica.keys()].sort()).toEqual(['EncryptionKey', 'SigningKey', 'SigningKey2']);
});

test('a second signing key leaves the first as it was, and signs from then on', () => {
  const environment = environmentOf('everything');
  const before = synthesize({ ...environment, signingKeys: 1, signingPublicKeys: [] });
  const stack = 'Holdfast-everything-Keys-eu-central-1';
  const resources = (of: typeof before) => of.template(stack).toJSON()['Resources'];
  expect(resources(everything)['SigningKeyEEFC2790']).toEqual(
    resources(before)['SigningKeyEEFC2790'],
  );
  const alias = (of: typeof before) =>
    Object.values(of.template(stack).findResources('AWS::KMS::Alias')).find(({ Properties }) =>
      Properties.AliasName.endsWith('-signing'),
    )?.['Properties'].TargetKeyId;
  expect(alias(before)).toEqual({ 'Fn::GetAtt': ['SigningKeyEEFC2790', 'Arn'] });
  expect(alias(everything)).toEqual({ 'Fn::GetAtt': ['SigningKey20E4B42C1', 'Arn'] });
});

test('a second key is deployed alone and pinned before anything signs with it', () => {
  const environment = environmentOf('everything');
  const errorsOf = (pinned: number) => {
    const signingPublicKeys = environment.signingPublicKeys.slice(0, pinned);
    const { stacks } = synthesize({ ...environment, signingPublicKeys });
    return [...stacks].flatMap(([name, stack]) =>
      stack.node.metadata
        .filter(({ type }) => type === 'aws:cdk:error')
        .map(({ data }) => `${name}: ${data}`),
    );
  };
  expect(errorsOf(2)).toEqual([]);
  expect(errorsOf(1).map((error) => error.slice(0, error.indexOf(':')))).toEqual(
    ['eu-central-1', 'eu-west-1'].flatMap((region) =>
      ['Backup', 'Restore'].map((what) => `Holdfast-everything-${what}-${region}`),
    ),
  );
  expect(errorsOf(1)[0]).toContain(
    'environments/everything.json: signingPublicKeys has 1 of 2 signing keys. Deploy the keys alone',
  );
});

test('keys are multi-Region, outlive their stacks and a month of regret; the one for content rotates', () => {
  for (const [id, { Properties, DeletionPolicy, UpdateReplacePolicy }] of [
    ...primary,
    ...replica,
  ]) {
    expect({ id, DeletionPolicy, UpdateReplacePolicy }).toEqual({
      id,
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
    expect(Properties['PendingWindowInDays']).toBe(30);
  }
  for (const { Properties } of primary.values()) expect(Properties['MultiRegion']).toBe(true);
  expect(key(primary, 'EncryptionKey').Properties['EnableKeyRotation']).toBe(true);
  for (const id of ['SigningKey', 'SigningKey2']) {
    expect(key(primary, id).Properties).toMatchObject({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
    });
  }
});

describe('a replica is that of its own primary', () => {
  const primariesOf = (world: typeof everything) =>
    Object.fromEntries(
      resourcesOf(world, 'AWS::KMS::ReplicaKey').map(({ id, resource }) => [
        id,
        resource.Properties['PrimaryKeyArn'],
      ]),
    );

  test('found in the other Region without an export where its id is not pinned', () => {
    const { encryptionKeyId: _, ...environment } = environmentOf('everything');
    const found = (output: RegExp) => ({
      'Fn::GetStackOutput': {
        StackName: 'Holdfast-everything-Keys-eu-central-1',
        Region: 'eu-central-1',
        OutputName: expect.stringMatching(output),
      },
    });
    const unpinned = synthesize({ ...environment, signingPublicKeys: [] });
    expect(primariesOf(unpinned)).toEqual({
      EncryptionKey: found(/EncryptionKey/),
      SigningKey: found(/SigningKeyEEFC2790/),
      SigningKey2: found(/SigningKey20E4B42C1/),
    });
    // One more key, before it is pinned, leaves the older one as it was.
    const [first] = environmentOf('everything').signingPublicKeys;
    const one = synthesize({ ...environment, signingPublicKeys: first ? [first] : [] });
    expect(primariesOf(one)).toMatchObject({
      SigningKey: `arn:aws:kms:eu-central-1:111122223333:key/${first?.keyId}`,
      SigningKey2: found(/SigningKey20E4B42C1/),
    });
  });

  test('named in the template where it is, so that no upgrade plans to replace it', () => {
    const of = (id: string) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`;
    expect(primariesOf(everything)).toEqual({
      EncryptionKey: of('mrk-2f0c2d3e4b5a69788796a5b4c3d2e1f0'),
      SigningKey: of('mrk-1f0c2d3e4b5a69788796a5b4c3d2e1f0'),
      SigningKey2: of('mrk-0f1e2d3c4b5a69788796a5b4c3d2e1f0'),
    });
    const stack = everything.stacks.get('Holdfast-everything-ReplicaKeys-eu-west-1');
    expect(JSON.stringify(everything.template(String(stack?.stackName)))).not.toContain(
      'Fn::GetStackOutput',
    );
    expect(stack?.dependencies.map(({ stackName }) => stackName)).toEqual([
      'Holdfast-everything-Keys-eu-central-1',
    ]);
  });
});

describe('who may use a key', () => {
  const all = [...primary.values(), ...replica.values()];
  const use =
    /^kms:(Encrypt|Decrypt|ReEncrypt|GenerateDataKey|Sign|GenerateMac|DeriveSharedSecret|CreateGrant|\*)/;

  test('administration is no use: the account itself opens and signs nothing', () => {
    for (const one of all) {
      const found = actionsOf(statement(one, 'Administer')).filter((action) => use.test(action));
      expect(found).toEqual([]);
    }
  });

  test('no principal is named that may not exist yet, and no use is allowed but to named roles', () => {
    for (const one of all) {
      for (const it of statementsIn(one)) {
        expect(JSON.stringify(it.Principal)).toMatch(/:iam::111122223333:root"/);
        if (!actionsOf(it).some((action) => use.test(action))) continue;
        expect(rolesIn(it, 'ArnEquals').length, it.Sid).toBeGreaterThan(0);
      }
    }
  });

  test('content is wrapped and unwrapped only as that of this vault', () => {
    for (const keys of [primary, replica]) {
      for (const sid of ['Wrap', 'Unwrap']) {
        expect(statement(key(keys, 'EncryptionKey'), sid).Condition).toMatchObject({
          StringEquals: {
            'kms:EncryptionContext:vault': 'holdfast-everything-111122223333-eu-central-1',
          },
        });
      }
    }
  });

  test('what dumps does not open; what opens restores, verifies, or is the break-glass role', () => {
    const unwraps = rolesIn(statement(key(primary, 'EncryptionKey'), 'Unwrap'), 'ArnEquals');
    expect(unwraps).toContain('holdfast-everything-break-glass');
    expect(unwraps).toContain('holdfast-everything-LoadUnit-eu-central-1');
    expect(unwraps).toContain('holdfast-everything-VerifyUnit-eu-central-1');
    for (const state of ['DumpUnit', 'DumpSchema', 'Seal', 'Publish', 'Record', 'CleanUp']) {
      expect(unwraps).not.toContain(`holdfast-everything-${state}-eu-central-1`);
    }
  });

  test('only Seal and Record sign, each in its own Region', () => {
    for (const [keys, region] of [
      [primary, 'eu-central-1'],
      [replica, 'eu-west-1'],
    ] as const) {
      for (const id of ['SigningKey', 'SigningKey2']) {
        expect(rolesIn(statement(key(keys, id), 'Sign'), 'ArnEquals')).toEqual([
          `holdfast-everything-Record-${region}`,
          `holdfast-everything-Seal-${region}`,
        ]);
      }
    }
  });

  test('the key of one Region is used by roles of that Region, but for the one that reads the copy back', () => {
    const inPrimary = (sid: string) =>
      rolesIn(statement(key(replica, 'EncryptionKey'), sid), 'ArnEquals').filter((role) =>
        role.endsWith('eu-central-1'),
      );
    expect(inPrimary('Wrap')).toEqual([]);
    expect(inPrimary('Unwrap')).toEqual(['holdfast-everything-ReplicateUnit-eu-central-1']);
    const elsewhere = rolesIn(
      statement(key(primary, 'EncryptionKey'), 'Unwrap'),
      'ArnEquals',
    ).filter((role) => role.endsWith('eu-west-1'));
    expect(elsewhere).toEqual([]);
  });
});
