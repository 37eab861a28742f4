/**
 * A state machine from its `.asl.json`, as it also runs on one machine: nothing is changed but the names in `${…}`.
 *
 * Invariant: every name of the definition is filled in, and the role may call these functions and machines only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { FunctionName } from '../../core/contract/functions.ts';
import { type MachineName, namesOf } from '../../core/contract/names.ts';
import type { RegionProps } from '../functions/region.ts';
import { explainWildcards } from '../functions/wildcards.ts';

const folder = join(import.meta.dirname, '../../statemachines');

/** The text of a definition, and the functions and machines that it names. */
export interface Definition {
  readonly text: string;
  readonly functions: readonly FunctionName[];
  /** Whose executions it starts and waits for. */
  readonly children: readonly MachineName[];
}

export function definitionOf(machine: MachineName): Definition {
  const json: unknown = JSON.parse(readFileSync(join(folder, `${machine}.asl.json`), 'utf8'));
  const text = JSON.stringify(json);
  const named = (ending: string): string[] => [
    ...new Set(
      [...text.matchAll(new RegExp(`\\$\\{(\\w+)${ending}\\}`, 'g'))].map(([, name]) => name ?? ''),
    ),
  ];
  return {
    text,
    functions: named('FunctionArn') as FunctionName[],
    children: named('StateMachineArn').map((name) => name.toLowerCase() as MachineName),
  };
}

export interface HoldfastMachineProps {
  readonly machine: MachineName;
  readonly region: RegionProps;
  readonly functions: ReadonlyMap<FunctionName, IFunction>;
}

export class HoldfastMachine extends Construct {
  constructor(scope: Construct, id: string, { machine, region, functions }: HoldfastMachineProps) {
    super(scope, id);
    const { environment, place } = region;
    const names = namesOf(environment.name);
    const definition = definitionOf(machine);

    const role = new Role(this, 'Role', {
      roleName: names.roleName(`machine-${machine}`, place.region),
      // As AWS documents it against a confused deputy. Children of a distributed Map are `machine/label`.
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': place.account },
          ArnLike: { 'aws:SourceArn': `${names.machineArn(machine, place)}*` },
        },
      }),
      description: `Holdfast ${environment.name}: state machine ${machine}`,
    });
    const substitutions: Record<string, string> = {};
    for (const name of definition.functions) {
      const one = functions.get(name);
      if (one === undefined) throw new Error(`${machine}.asl.json: there is no function ${name}.`);
      substitutions[`${name}FunctionArn`] = one.functionArn;
    }
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: Object.values(substitutions),
      }),
    );
    for (const child of definition.children) {
      const capital = `${child.slice(0, 1).toUpperCase()}${child.slice(1)}`;
      substitutions[`${capital}StateMachineArn`] = names.machineArn(child, place);
    }
    const own = ownRights(definition, machine, region);
    for (const [actions, resources] of own) {
      role.addToPolicy(new PolicyStatement({ actions, resources }));
    }
    explainWildcards(role, ['*', ...own.flatMap(([, resources]) => resources)]);

    new StateMachine(this, 'Machine', {
      stateMachineName: names.machine(machine),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definition.text),
      definitionSubstitutions: substitutions,
      role,
      tracingEnabled: true,
      logs: {
        // Input and output too: references, counts, and what the caller wrote as checks and `where`; never secrets
        // (core/contract/payloads.ts), and no error quotes a row (core/postgres/without-rows.ts).
        includeExecutionData: true,
        level: LogLevel.ALL,
        destination: new LogGroup(this, 'Log', {
          // Under this prefix CloudWatch Logs needs no entry per group in its one policy of 5,120 characters.
          logGroupName: `/aws/vendedlogs/states/${names.machine(machine)}`,
          retention: environment.logDays,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
  }
}

/** What the role may do besides calling functions. */
function ownRights(
  { children, text }: Definition,
  machine: MachineName,
  { environment, place }: RegionProps,
): [actions: string[], resources: string[]][] {
  const names = namesOf(environment.name);
  const { account, region } = place;
  const arns = (of: readonly MachineName[]) => of.map((one) => names.machineArn(one, place));
  const executions = (of: readonly MachineName[], ...rest: string[]) =>
    of.flatMap((one) =>
      rest.map(
        (end) => `arn:aws:states:${region}:${account}:execution:${names.machine(one)}${end}`,
      ),
    );
  const rule = 'rule/StepFunctionsGetEventsForStepFunctionsExecutionRule';
  const follow = ['states:DescribeExecution', 'states:StopExecution'];
  return [
    // `startExecution.sync:2`: start, look, stop, and the one rule by which Step Functions hears of the end.
    ...(children.length === 0
      ? []
      : [
          [['states:StartExecution'], arns(children)],
          [follow, executions(children, ':*')],
          [
            ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
            [`arn:aws:events:${region}:${account}:${rule}`],
          ],
        ]),
    // A distributed Map runs its items as executions of the machine itself: `machine/label:id`.
    ...(text.includes('"DISTRIBUTED"')
      ? [
          [['states:StartExecution'], arns([machine])],
          [follow, executions([machine], ':*', '/*')],
        ]
      : []),
  ] as [string[], string[]][];
}
