import type { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import type { FunctionName } from '../../core/contract/functions.ts';
import { definitionOf } from '../../lib/constructs/state-machine.ts';
import { reachOf } from '../../lib/functions/region.ts';
import { functionRights, statementsOf } from '../../lib/functions/rights.ts';
import type { Statement } from '../../lib/functions/statements.ts';
import { newApp } from './assembly.ts';
import { everythingOn, regionOf, stacksOf, templatesOf } from './regions.ts';

const environment = everythingOn();
const all = Object.keys(functionRights) as FunctionName[];
const ofRestore = [
  ...new Set([...definitionOf('restore').functions, ...definitionOf('drill').functions]),
];

const vault = /^arn:aws:s3:::holdfast-prod-vault-/;
const writes = /^s3:(Put|Delete|Abort|Replicate|Restore|Bypass)/;

/** What it is allowed in either Region: action and resource, one pair each. */
function allowedTo(name: FunctionName): { action: string; resource: string; of: Statement }[] {
  return [true, false].flatMap((isPrimary) =>
    statementsOf(name, reachOf(regionOf(environment, isPrimary)))
      .filter(({ effect }) => effect === 'Allow')
      .flatMap((of) =>
        of.actions.flatMap((action) => of.resources.map((resource) => ({ action, resource, of }))),
      ),
  );
}

const who = (may: (one: { action: string; resource: string }) => boolean): FunctionName[] =>
  all.filter((name) => allowedTo(name).some(may)).sort();

describe('DumpUnit', () => {
  const own = allowedTo('DumpUnit');
  const inVault = own.filter(({ resource }) => vault.test(resource));

  test('writes data of backups and nothing else in the vault, and reads, lists, deletes nothing there', () => {
    expect(new Set(inVault.map(({ action }) => action))).toEqual(
      new Set(['s3:PutObject', 's3:PutObjectTagging', 's3:AbortMultipartUpload']),
    );
    for (const { resource } of inVault) expect(resource).toMatch(/\/backups\/\*\/data\/\*$/);
  });

  test('makes data keys for this vault only, and decrypts nothing', () => {
    const ofKeys = own.filter(({ action }) => action.startsWith('kms:'));
    expect(new Set(ofKeys.map(({ action }) => action))).toEqual(new Set(['kms:GenerateDataKey']));
    for (const { of } of ofKeys) {
      expect(of.conditions).toEqual({
        StringEquals: {
          'kms:EncryptionContext:vault': 'holdfast-prod-123456789012-eu-central-1',
        },
      });
    }
  });

  test('tags as staged only, and may not touch the tag of what is kept', () => {
    const tagging = statementsOf('DumpUnit', reachOf(regionOf(environment, true))).filter(
      ({ actions }) => actions.includes('s3:PutObjectTagging'),
    );
    expect(tagging.map(({ effect, conditions }) => [effect, conditions])).toEqual([
      ['Allow', { StringEquals: { 's3:RequestObjectTag/holdfast-tier': 'staged' } }],
      [
        'Deny',
        {
          StringNotEquals: { 's3:ExistingObjectTag/holdfast-tier': 'staged' },
          Null: { 's3:ExistingObjectTag/holdfast-tier': 'false' },
        },
      ],
    ]);
  });
});

test('what restores or drills writes nothing to a vault and signs nothing', () => {
  for (const name of ofRestore) {
    const forbidden = allowedTo(name).filter(
      ({ action, resource }) =>
        (vault.test(resource) && writes.test(action)) || action === 'kms:Sign',
    );
    expect(forbidden, name).toEqual([]);
  }
});

test('only Seal and Record sign; only Record writes evidence', () => {
  expect(who(({ action }) => action === 'kms:Sign')).toEqual(['Record', 'Seal']);
  const evidence = /\/evidence\/\*$/;
  expect(who(({ action, resource }) => writes.test(action) && evidence.test(resource))).toEqual([
    'Record',
  ]);
});

test('nobody deletes in a vault or passes its locks', () => {
  expect(
    who(({ action, resource }) => vault.test(resource) && /Delete|Bypass/.test(action)),
  ).toEqual([]);
});

test('what dumps holds no right to open what it wrote; what opens holds none to put it', () => {
  const wraps = who(({ action }) => action === 'kms:GenerateDataKey');
  const unwraps = who(({ action }) => action === 'kms:Decrypt');
  // CreateTarget writes down, encrypted and in the workspace, what it takes off the target.
  expect(wraps.filter((name) => unwraps.includes(name))).toEqual(['CreateTarget']);
  const puts = who(
    ({ action, resource }) =>
      action === 's3:PutObject' && /\/backups\/.*(data|schema)/.test(resource),
  );
  expect(puts).toEqual(['DumpSchema', 'DumpUnit', 'PlanUnits']);
  expect(puts.filter((name) => unwraps.includes(name))).toEqual([]);
});

test('of those that look at the copy only ReplicateUnit opens it; RecordReplica opens nothing', () => {
  const { replica } = reachOf(regionOf(environment, true));
  expect(who(({ resource }) => resource.startsWith(`${replica?.vaultArn}/backups/`))).toEqual(
    expect.arrayContaining(['RecordReplica', 'ReplicateUnit']),
  );
  const opens = all.filter((name) =>
    statementsOf(name, reachOf(regionOf(environment, true))).some(
      ({ actions, resources }) =>
        actions.includes('kms:Decrypt') && resources.includes(String(replica?.encryptionKeyArn)),
    ),
  );
  expect(opens).toEqual(['ReplicateUnit']);
  const keysOfRecord = allowedTo('RecordReplica').filter(({ action }) => action.startsWith('kms:'));
  expect(new Set(keysOfRecord.map(({ action }) => action))).toEqual(new Set(['kms:GetPublicKey']));
});

test('in the replica Region nothing of the primary is named', () => {
  for (const name of all) {
    const named = statementsOf(name, reachOf(regionOf(environment, false))).flatMap(
      ({ resources }) => resources,
    );
    expect(
      named.filter((arn) => arn.includes('eu-central-1')),
      name,
    ).toEqual([]);
  }
});

test('secrets are those of the environment, by name and with any six characters after it', () => {
  const { secretArns } = reachOf(regionOf(environment, true));
  expect(secretArns).toEqual([
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/backup-??????',
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:drills/admin-??????',
  ]);
});

describe('a secret in a policy', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:';
  const arnsOf = (secret: string) =>
    reachOf(
      regionOf(
        everythingOn({
          sources: [{ name: 'orders', connection: { secret } }],
          targets: [],
          exercise: undefined,
        }),
        true,
      ),
    ).secretArns;

  test('may be one that RDS manages', () => {
    expect(arnsOf('rds!db-0a1b2c3d-1111')).toEqual([`${arn}rds!db-0a1b2c3d-1111-??????`]);
  });

  test('may be given by an ARN without the six characters, also when its name ends in such', () => {
    expect(arnsOf(`${arn}shop/production`)).toEqual([`${arn}shop/production-??????`]);
    expect(arnsOf(`${arn}shop-backup`)).toEqual([`${arn}shop-backup`, `${arn}shop-backup-??????`]);
    expect(arnsOf(`${arn}shop-AbCdEf`)).toContain(`${arn}shop-AbCdEf`);
    // An underscore is in no ending that Secrets Manager makes.
    expect(arnsOf(`${arn}shop-back_p`)).toEqual([`${arn}shop-back_p-??????`]);
  });
});

describe('the policies in the templates', () => {
  const templates = templatesOf(environment);

  test('are the table, and what Lambda itself needs', () => {
    const lambdas = [
      ...['logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage'],
      ...['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
      ...['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      ...['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
      ...['ec2:DeleteNetworkInterface', 'ec2:AssignPrivateIpAddresses'],
      'ec2:UnassignPrivateIpAddresses',
    ];
    const reach = reachOf(regionOf(environment, true));
    for (const [name, actions] of actionsOfRoles([templates.backup, templates.restore])) {
      const table = statementsOf(name, reach).flatMap((statement) => statement.actions);
      expect(new Set(actions.filter((action) => !lambdas.includes(action))), name).toEqual(
        new Set(table),
      );
    }
  });

  test('fit into a role: 10,240 characters', () => {
    for (const template of [templates.backup, templates.restore]) {
      for (const { Properties } of Object.values(template.findResources('AWS::IAM::Policy'))) {
        expect(JSON.stringify(Properties.PolicyDocument).length).toBeLessThan(10_240);
      }
      template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
    }
  });
});

test('cdk-nag AwsSolutions finds nothing without a written reason, in either Region', () => {
  const app = newApp();
  for (const isPrimary of [true, false]) {
    for (const stack of Object.values(stacksOf(app, regionOf(environment, isPrimary)))) {
      const { violations } = new AwsSolutionsChecks(app).validateScope(stack);
      expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
    }
  }
});

/** Function → the actions of its role, by the name of the role. */
function actionsOfRoles(templates: readonly Template[]): [FunctionName, string[]][] {
  return templates.flatMap((template) => {
    const roles = template.findResources('AWS::IAM::Role');
    return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) => {
      const role = roles[Properties.Roles[0].Ref]?.Properties.RoleName as string;
      const name = role.replace('holdfast-prod-', '').replace('-eu-central-1', '') as FunctionName;
      if (!all.includes(name)) return [];
      const statements = Properties.PolicyDocument.Statement as { Action: string | string[] }[];
      return [[name, statements.flatMap(({ Action }) => Action)] as [FunctionName, string[]]];
    });
  });
}
