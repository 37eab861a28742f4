import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { definitions, stringsIn } from '../statemachines/definition.ts';
import { everythingOn, primary, type RegionTemplates, replica, templatesOf } from './regions.ts';

const environment = everythingOn();
const regions = [
  { where: primary, templates: templatesOf(environment, true) },
  { where: replica, templates: templatesOf(environment, false) },
];

const stackOf = { backup: 'backup', restore: 'restore', drill: 'restore' } as const;
type MachineName = keyof typeof stackOf;

function machineIn(templates: RegionTemplates, name: MachineName) {
  const template = templates[stackOf[name]];
  const [found] = Object.values(
    template.findResources('AWS::StepFunctions::StateMachine', {
      Properties: { StateMachineName: `holdfast-prod-${name}` },
    }),
  );
  if (found === undefined) throw new Error(`there is no machine ${name}`);
  return { template, properties: found.Properties };
}

/** Statements of the role of a machine. */
function statementsOf(template: Template, roleId: string) {
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(
    ({ Properties }) => Properties.Roles[0].Ref === roleId,
  );
  return policy?.Properties.PolicyDocument.Statement as {
    Action: string | string[];
    Resource: unknown;
  }[];
}

const everyMachine = (
  look: (name: MachineName, where: string, machine: ReturnType<typeof machineIn>) => void,
) => {
  for (const { where, templates } of regions) {
    for (const name of Object.keys(stackOf) as MachineName[]) {
      look(name, where, machineIn(templates, name));
    }
  }
};

test('the definition is the file that also runs on one machine, with nothing changed in it', () => {
  everyMachine((name, _, { properties }) => {
    const file = definitions().find((one) => one.name === `${name}.asl.json`);
    expect(JSON.parse(properties.DefinitionString)).toEqual(file?.machine);
  });
});

test('every name in a definition is filled in, and each function is one of the same stack', () => {
  everyMachine((_, where, { template, properties }) => {
    const functions = Object.keys(template.findResources('AWS::Lambda::Function'));
    const names = new Set(
      [...stringsIn(JSON.parse(properties.DefinitionString))].flatMap((text) =>
        [...text.matchAll(/\$\{(\w+)\}/g)].map(([, found]) => String(found)),
      ),
    );
    const given = properties.DefinitionSubstitutions as Record<string, unknown>;
    expect(Object.keys(given).sort()).toEqual([...names].sort());
    for (const [key, value] of Object.entries(given)) {
      if (key.endsWith('FunctionArn')) {
        const id = (value as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
        expect(functions).toContain(id);
        expect(id.startsWith(key.replace('FunctionArn', 'Function')), key).toBe(true);
      } else {
        const child = key.replace('StateMachineArn', '').toLowerCase();
        expect(value).toBe(
          `arn:aws:states:${where}:123456789012:stateMachine:holdfast-prod-${child}`,
        );
      }
    }
  });
});

test('each logs everything, with inputs and outputs, and is traced', () => {
  everyMachine((name, _, { template, properties }) => {
    expect(properties.StateMachineType).toBe('STANDARD');
    expect(properties.TracingConfiguration).toEqual({ Enabled: true });
    expect(properties.LoggingConfiguration).toMatchObject({
      Level: 'ALL',
      IncludeExecutionData: true,
    });
    const [destination] = properties.LoggingConfiguration.Destinations;
    const id = destination.CloudWatchLogsLogGroup.LogGroupArn['Fn::GetAtt'][0];
    expect(template.findResources('AWS::Logs::LogGroup')[id]?.Properties).toEqual({
      LogGroupName: `/aws/vendedlogs/states/holdfast-prod-${name}`,
      RetentionInDays: 30,
    });
  });
});

describe('the role of a machine', () => {
  const rightsOf = ({ template, properties }: ReturnType<typeof machineIn>) =>
    statementsOf(template, properties.RoleArn['Fn::GetAtt'][0]);
  const resourcesOf = (statements: ReturnType<typeof rightsOf>, action: string) =>
    statements
      .filter(({ Action }) => [Action].flat().includes(action))
      .flatMap((it) => it.Resource);

  test('is taken by Step Functions for this machine of this account only', () => {
    everyMachine((name, where, { template, properties }) => {
      const role = template.findResources('AWS::IAM::Role')[properties.RoleArn['Fn::GetAtt'][0]];
      expect(role?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'states.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': '123456789012' },
            ArnLike: {
              'aws:SourceArn': `arn:aws:states:${where}:123456789012:stateMachine:holdfast-prod-${name}*`,
            },
          },
        },
      ]);
    });
  });

  test('may call the functions of its definition and no others', () => {
    everyMachine((_, __, machine) => {
      const wanted = Object.entries(machine.properties.DefinitionSubstitutions)
        .filter(([key]) => key.endsWith('FunctionArn'))
        .map(([, value]) => value);
      expect(resourcesOf(rightsOf(machine), 'lambda:InvokeFunction')).toEqual(wanted);
    });
  });

  test('may start, follow and stop its children and those of its distributed Maps only', () => {
    const children = { backup: ['backup'], restore: ['backup', 'restore'], drill: ['restore'] };
    everyMachine((name, where, machine) => {
      const rights = rightsOf(machine);
      const of = (kind: string) => `arn:aws:states:${where}:123456789012:${kind}:holdfast-prod-`;
      expect(resourcesOf(rights, 'states:StartExecution').sort()).toEqual(
        children[name].map((child) => `${of('stateMachine')}${child}`),
      );
      for (const action of ['states:StopExecution', 'states:DescribeExecution']) {
        const followed = resourcesOf(rights, action).map((arn) =>
          String(arn)
            .replace(of('execution'), '')
            .replace(/[:/]\*$/, ''),
        );
        expect([...new Set(followed)].sort()).toEqual(children[name]);
      }
    });
  });

  test('may hear of the end of children where it waits for any (sync:2)', () => {
    everyMachine((name, where, machine) => {
      expect(resourcesOf(rightsOf(machine), 'events:PutRule')).toEqual(
        name === 'backup'
          ? []
          : [
              `arn:aws:events:${where}:123456789012:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`,
            ],
      );
    });
  });
});
