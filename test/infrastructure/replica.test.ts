import { describe, expect, test } from 'vitest';
import { actionsOf, type PolicyStatement, rolesIn, statement, statementsIn } from './policies.ts';
import { environmentOf, type Resource, resourcesOf, synthesize } from './synthesize.ts';

const everything = synthesize(environmentOf('everything'));
const example = synthesize(environmentOf('example'));

type World = typeof everything;
const inStack = (world: World, stack: string, type: string): Resource[] =>
  resourcesOf(world, type)
    .filter((one) => one.stack === stack)
    .map(({ resource }) => resource);
const vaultOf = (world: World, stack: string): Resource =>
  inStack(world, stack, 'AWS::S3::Bucket').find(({ Properties }) =>
    String(Properties['BucketName']).includes('-vault-'),
  ) as Resource;

describe.each([
  ['another account', everything, 'everything', '444455556666'],
  ['the same account', example, 'example', '111122223333'],
] as const)('the replica vault in %s', (_, world, name, account) => {
  const primary = `Holdfast-${name}-Vault-eu-central-1`;
  const source = `arn:aws:s3:::holdfast-${name}-vault-111122223333-eu-central-1`;
  const destination = `arn:aws:s3:::holdfast-${name}-vault-${account}-eu-west-1`;

  test('everything is copied there with metrics, without delete markers and without paid time control', () => {
    const { Rules } = vaultOf(world, primary).Properties['ReplicationConfiguration'] as {
      Rules: Record<string, unknown>[];
    };
    expect(Rules).toEqual([
      {
        Id: 'to-the-replica-vault',
        Priority: 1,
        Status: 'Enabled',
        Filter: { Prefix: '' },
        DeleteMarkerReplication: { Status: 'Disabled' },
        Destination: {
          Bucket: destination,
          Metrics: { Status: 'Enabled' },
          ...(account !== '111122223333' && { Account: account }),
        },
      },
    ]);
  });

  test('the role that copies reads the vault and its locks, writes copies and tags, and deletes nothing', () => {
    const [role] = inStack(world, primary, 'AWS::IAM::Role');
    expect(role?.Properties['RoleName']).toBe(`holdfast-${name}-Replication-eu-central-1`);
    expect(role?.Properties['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [
        {
          Principal: { Service: 's3.amazonaws.com' },
        },
      ],
    });
    // S3 may not say for which bucket it takes the role: a condition on that would stop all copying.
    expect(JSON.stringify(role?.Properties['AssumeRolePolicyDocument'])).not.toContain('Condition');
    const [policy] = inStack(world, primary, 'AWS::IAM::Policy');
    const allowed = statementsIn(policy as Resource).map((it): [unknown, readonly string[]] => [
      it.Resource,
      actionsOf(it),
    ]);
    expect(allowed).toEqual([
      [source, ['s3:GetReplicationConfiguration', 's3:ListBucket']],
      [
        `${source}/*`,
        [
          's3:GetObjectVersionForReplication',
          's3:GetObjectVersionAcl',
          's3:GetObjectVersionTagging',
          's3:GetObjectRetention',
          's3:GetObjectLegalHold',
        ],
      ],
      [`${destination}/*`, ['s3:ReplicateObject', 's3:ReplicateTags']],
      ...(account === '111122223333'
        ? []
        : [[destination, ['s3:GetBucketVersioning', 's3:ListBucket']]]),
    ]);
  });

  test('it is there before the vault that copies to it', () => {
    const dependencies = world.stacks.get(primary)?.dependencies.map(({ stackName }) => stackName);
    expect(dependencies).toContain(`Holdfast-${name}-ReplicaVault-eu-west-1`);
  });

  test('it copies nothing on', () => {
    const replica = vaultOf(world, `Holdfast-${name}-ReplicaVault-eu-west-1`);
    expect(replica.Properties).not.toHaveProperty('ReplicationConfiguration');
  });
});

describe('a replica vault in another account', () => {
  const stack = 'Holdfast-everything-ReplicaVault-eu-west-1';
  const policy = inStack(everything, stack, 'AWS::S3::BucketPolicy').find(({ Properties }) =>
    JSON.stringify(Properties).includes('WriteOnce'),
  ) as Resource;
  const allowed = statementsIn(policy).filter(({ Effect }) => Effect === 'Allow');
  const sidsOf = (role: string) =>
    allowed.filter((it) => rolesIn(it, 'ArnEquals').includes(role)).map(({ Sid }) => Sid);

  test('its stack is in that account, keys and workspace stay in the first', () => {
    const accountOf = (name: string) => everything.stacks.get(name)?.account;
    expect(accountOf(stack)).toBe('444455556666');
    expect(accountOf('Holdfast-everything-ReplicaKeys-eu-west-1')).toBe('111122223333');
    expect(accountOf('Holdfast-everything-Workspace-eu-west-1')).toBe('111122223333');
    expect(accountOf('Holdfast-everything-Restore-eu-west-1')).toBe('111122223333');
  });

  test('lets in the functions of its Region, those that look at the copy, and what copies', () => {
    for (const role of ['LoadUnit-eu-west-1', 'DumpUnit-eu-west-1', 'Record-eu-west-1']) {
      expect(sidsOf(`holdfast-everything-${role}`)).toEqual(['FunctionsList', 'FunctionsWork']);
    }
    expect(sidsOf('holdfast-everything-ReplicateUnit-eu-central-1')).toEqual([
      'FunctionsList',
      'FunctionsWork',
    ]);
    expect(sidsOf('holdfast-everything-Replication-eu-central-1')).toEqual([
      'Replicate',
      'ReplicateLook',
    ]);
    const look = statement(policy, 'ReplicateLook');
    expect(actionsOf(look)).toEqual(['s3:GetBucketVersioning', 's3:ListBucket']);
    expect(look.Resource).toEqual({
      'Fn::GetAtt': [expect.stringContaining('VaultBucket'), 'Arn'],
    });
    expect(sidsOf('holdfast-everything-LoadUnit-eu-central-1')).toEqual([]);
    expect(sidsOf('holdfast-everything-DumpUnit-eu-central-1')).toEqual([]);
  });

  test('lets nobody in who is not named, nor to anything that deletes or configures', () => {
    const isNamed = (it: PolicyStatement) => rolesIn(it, 'ArnEquals').length > 0;
    expect(allowed.filter((it) => !isNamed(it))).toEqual([]);
    const actions = allowed.flatMap(actionsOf);
    expect(
      actions.filter((action) => /Delete|Bypass|Configuration|Policy|\*/.test(action)),
    ).toEqual([]);
  });

  test('its own break-glass role is of its own account: who has the first account has not both', () => {
    const { Condition } = statement(policy, 'NobodyDeletes');
    expect(Condition?.['ArnNotLike']?.['aws:PrincipalArn']).toEqual([
      'arn:aws:iam::444455556666:role/holdfast-everything-break-glass',
    ]);
  });
});

test('without a second Region there is one of each stack, and no replication', () => {
  const environment = environmentOf('example');
  const alone = synthesize({ ...environment, regions: { primary: environment.regions.primary } });
  expect([...alone.stacks.keys()].sort()).toEqual(
    ['Backup', 'Keys', 'Observability', 'Restore', 'Trail', 'Vault', 'Workspace'].map(
      (what) => `Holdfast-example-${what}-eu-central-1`,
    ),
  );
  const vault = vaultOf(alone, 'Holdfast-example-Vault-eu-central-1');
  expect(vault.Properties).not.toHaveProperty('ReplicationConfiguration');
  expect(resourcesOf(alone, 'AWS::IAM::Role').some(({ id }) => id.includes('Replication'))).toBe(
    false,
  );
});

test('in the replica Region no stack but that of the key replicas takes anything from the primary', () => {
  for (const world of [everything, example]) {
    for (const [name, stack] of world.stacks) {
      if (stack.region !== 'eu-west-1' || name.includes('ReplicaKeys')) continue;
      const found = JSON.stringify(world.template(name)).match(
        /"Fn::GetStackOutput":\{[^}]*"Region":"eu-central-1"/g,
      );
      expect({ name, found }).toEqual({ name, found: null });
    }
  }
});
