import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { functionEnvNames } from '../../core/contract/env.ts';
import { extraFunctions } from '../../core/contract/functions.ts';
import { functionCode } from '../../lib/functions/bundle.ts';
import { connects } from '../../lib/functions/rights.ts';
import { sizeOf } from '../../lib/functions/sizes.ts';
import { definitions, handlerOf, statesOf } from '../statemachines/definition.ts';
import { account, everythingOn, type RegionTemplates, replica, templatesOf } from './regions.ts';

const root = join(import.meta.dirname, '../..');

const environment = everythingOn();
const inPrimary = templatesOf(environment, true);
const regions: RegionTemplates[] = [inPrimary, templatesOf(environment, false)];

interface FunctionResource {
  readonly id: string;
  readonly name: (typeof extraFunctions)[number];
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties
  readonly properties: any;
}

/** Of Backup and Restore of one Region. */
const functionsOf = ({ backup, restore }: RegionTemplates): FunctionResource[] =>
  [backup, restore].flatMap((template) =>
    Object.entries(template.findResources('AWS::Lambda::Function')).map(([id, resource]) => ({
      ...{ id, properties: resource.Properties },
      name: String(resource.Properties.FunctionName).replace('holdfast-prod-', '') as never,
    })),
  );

/** What the state machines call, and what is called by clocks and rules. */
const wanted = [
  ...new Set(
    definitions().flatMap(({ machine }) =>
      [...statesOf(machine)]
        .filter(({ state }) => /FunctionArn\}$/.test(String(state.Resource)))
        .map(({ state }) => handlerOf(state)),
    ),
  ),
  ...extraFunctions,
].sort();

test('every state that calls a function has it exactly once in each Region, and there are no others', () => {
  for (const region of regions) {
    const names = functionsOf(region).map(({ name }) => name);
    expect(names.sort()).toEqual(wanted);
  }
});

test('each runs on Node 24 on arm64, with a time limit, traces, and a handler that is in lambdas/', () => {
  for (const region of regions) {
    for (const { name, properties } of functionsOf(region)) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        Timeout: sizeOf(name).timeoutSeconds,
        MemorySize: sizeOf(name).memoryMb,
      });
      expect(properties.Timeout).toBeLessThanOrEqual(900);
      expect(properties.Environment.Variables.NODE_OPTIONS).toBe('--enable-source-maps');
      const [file] = String(properties.Handler).split('.');
      expect(`${properties.Handler}`).toBe(`${file}.handler`);
      const handler = join(root, 'lambdas', `${file}.ts`);
      expect(existsSync(handler), handler).toBe(true);
      expect(readFileSync(handler, 'utf8')).toContain(`onLambda('${name}'`);
    }
  }
});

test('each logs JSON into a group of its own, kept as long as the environment says', () => {
  for (const { backup, restore } of regions) {
    for (const template of [backup, restore]) {
      const groups = template.findResources('AWS::Logs::LogGroup');
      const used = Object.values(template.findResources('AWS::Lambda::Function')).map(
        ({ Properties: { FunctionName, LoggingConfig } }) => {
          expect(LoggingConfig.LogFormat).toBe('JSON');
          const group = groups[LoggingConfig.LogGroup.Ref];
          expect(group?.Properties).toEqual({
            LogGroupName: `/aws/lambda/${FunctionName}`,
            RetentionInDays: 30,
          });
          return LoggingConfig.LogGroup.Ref;
        },
      );
      expect(new Set(used).size).toBe(used.length);
    }
  }
});

test('each has a role of its own, whose name has the Region in it', () => {
  for (const [index, region] of regions.entries()) {
    const where = index === 0 ? 'eu-central-1' : replica;
    for (const template of [region.backup, region.restore]) {
      const roles = template.findResources('AWS::IAM::Role');
      for (const { Properties } of Object.values(template.findResources('AWS::Lambda::Function'))) {
        const role = roles[Properties.Role['Fn::GetAtt'][0]];
        expect(role?.Properties.RoleName).toBe(`${Properties.FunctionName}-${where}`);
        expect(role?.Properties.ManagedPolicyArns).toBeUndefined();
      }
    }
  }
});

test('only those that log in to a database are in its network: the others need no way through it', () => {
  for (const region of regions) {
    for (const { name, properties } of functionsOf(region)) {
      expect(properties.VpcConfig !== undefined, name).toBe(connects(name));
    }
  }
  const open = templatesOf(everythingOn({ network: {} }));
  for (const { properties } of functionsOf(open)) expect(properties.VpcConfig).toBeUndefined();
  open.backup.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
});

test('a network without ways to AWS gets them, once per Region', () => {
  for (const { backup, restore } of regions) {
    const services = Object.values(backup.findResources('AWS::EC2::VPCEndpoint')).map(
      ({ Properties }) => String(Properties.ServiceName).split('.').slice(3).join('.'),
    );
    expect(services.sort()).toEqual(
      ['kms', 'lambda', 'rds', 's3', 'secretsmanager', 'ssm', 'states'].sort(),
    );
    restore.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  }
  inPrimary.backup.hasResourceProperties('AWS::EC2::VPCEndpoint', {
    ServiceName: 'com.amazonaws.eu-central-1.s3',
    VpcEndpointType: 'Gateway',
    RouteTableIds: ['rtb-a0000001'],
  });
  inPrimary.backup.hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupIngress: [
      Match.objectLike({ FromPort: 443, ToPort: 443, SourceSecurityGroupId: 'sg-a0000001' }),
    ],
  });
});

test('the ways that were made are for principals of the account; from S3 anybody may read, and answer CloudFormation', () => {
  const everybody = { Effect: 'Allow', Principal: '*' };
  const ours = {
    ...{ ...everybody, Action: '*', Resource: '*' },
    Condition: { StringEquals: { 'aws:PrincipalAccount': account } },
  };
  for (const { backup } of regions) {
    const endpoints = Object.values(backup.findResources('AWS::EC2::VPCEndpoint'));
    for (const { Properties } of endpoints) {
      const { ServiceName, PolicyDocument } = Properties;
      const [, , region, service] = String(ServiceName).split('.') as [
        string,
        string,
        string,
        string,
      ];
      const others = [
        { ...everybody, Action: 's3:GetObject', Resource: '*' },
        {
          ...{ ...everybody, Action: 's3:PutObject' },
          Resource: [
            `arn:aws:s3:::cloudformation-custom-resource-response-${region.replaceAll('-', '')}/*`,
            `arn:aws:s3:::cloudformation-waitcondition-${region}/*`,
          ],
        },
      ];
      expect(PolicyDocument.Statement).toEqual(service === 's3' ? [ours, ...others] : [ours]);
    }
  }
});

describe('the environment of a function', () => {
  const variablesOf = (template: Template, name: string) =>
    Object.values(template.findResources('AWS::Lambda::Function')).find(
      ({ Properties }) => Properties.FunctionName === `holdfast-prod-${name}`,
    )?.Properties.Environment.Variables;

  test('has the vault of its own Region, and the replica only in the primary', () => {
    const [first, second] = regions.map(({ backup }) => variablesOf(backup, 'ReplicateUnit'));
    expect(first[functionEnvNames.vaultBucket]).toBe(
      'holdfast-prod-vault-123456789012-eu-central-1',
    );
    expect(first[functionEnvNames.replicaBucket]).toBe(
      'holdfast-prod-vault-123456789012-eu-west-1',
    );
    expect(first[functionEnvNames.replicaRegion]).toBe('eu-west-1');
    expect(second[functionEnvNames.vaultBucket]).toBe('holdfast-prod-vault-123456789012-eu-west-1');
    expect(second[functionEnvNames.replicaBucket]).toBeUndefined();
    expect(second[functionEnvNames.vaultId]).toBe(first[functionEnvNames.vaultId]);
  });

  test('names Record to all but Record itself', () => {
    const name = functionEnvNames.recordFunction;
    expect(variablesOf(inPrimary.backup, 'Publish')[name]).toBe('holdfast-prod-Record');
    expect(variablesOf(inPrimary.restore, 'ConcludeDrill')[name]).toBe('holdfast-prod-Record');
    expect(variablesOf(inPrimary.backup, 'Record')[name]).toBeUndefined();
  });

  test('has the vault of the second account where there is one, and the first account’s workspace', () => {
    const other = everythingOn({ replicaAccount: '210987654321' });
    const variables = variablesOf(templatesOf(other, false).restore, 'LoadUnit');
    expect(variables[functionEnvNames.vaultBucket]).toBe(
      'holdfast-prod-vault-210987654321-eu-west-1',
    );
    expect(variables[functionEnvNames.workspaceBucket]).toBe(
      'holdfast-prod-workspace-123456789012-eu-west-1',
    );
  });
});

test('concurrency is reserved where the environment says so, and nowhere else', () => {
  const reserved = functionsOf(inPrimary)
    .filter(({ properties }) => properties.ReservedConcurrentExecutions !== undefined)
    .map(({ name, properties }) => [name, properties.ReservedConcurrentExecutions]);
  expect(Object.fromEntries(reserved)).toEqual({ DumpUnit: 20, LoadUnit: 10 });
});

test('what is invoked without waiting has its failures in the queue', () => {
  const configs = Object.values(inPrimary.backup.findResources('AWS::Lambda::EventInvokeConfig'));
  expect(configs).toHaveLength(2);
  for (const { Properties } of configs) {
    expect(Properties.DestinationConfig.OnFailure.Destination).toMatch(
      /:holdfast-prod-dead-letters$/,
    );
  }
  inPrimary.restore.resourceCountIs('AWS::Lambda::EventInvokeConfig', 0);
});

test('a bundle that was not built is told with the command that builds it', () => {
  expect(() => functionCode('/nowhere')).toThrow(/npm run build/);
});
