/**
 * The read-back gate: every resource and every property of a deployed template is compared with what the services' own
 * APIs say of it. CloudFormation's word that a stack is complete is not enough: an emulator may drop what it does not
 * know, and then a test of it would prove nothing.
 */
import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListExportsCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { compare, type Deviation } from './compare.ts';
import { notRead, notState, readers } from './read/all.ts';
import type { Clients, Properties } from './read/reader.ts';
import { type Deployed, resolve, type Template } from './resolve.ts';

export interface ResourceFinding extends Deviation {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
  /** The whole property that it is in, as the template has it: what is put in place of what was dropped. */
  readonly property: string;
  readonly wanted: unknown;
  /** All of the resource, resolved. */
  readonly properties: Properties;
}

export interface GateResult {
  readonly resources: number;
  /** Values that were compared. */
  readonly leaves: number;
  /** Values that only CloudFormation knows: looked at for being there. */
  readonly unknowns: readonly string[];
  readonly findings: readonly ResourceFinding[];
}

export async function readStack(
  cloudFormation: CloudFormationClient,
  stackName: string,
  place: { readonly region: string; readonly account: string },
  outputs: Deployed['outputs'],
): Promise<Deployed> {
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName }));
  const { TemplateBody = '{}' } = await cloudFormation.send(
    new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
  );
  const made = new Map<string, { type: string; physicalId: string }>();
  for await (const page of paginateListStackResources(
    { client: cloudFormation },
    { StackName: stackName },
  )) {
    for (const it of page.StackResourceSummaries ?? []) {
      made.set(String(it.LogicalResourceId), {
        type: String(it.ResourceType),
        physicalId: String(it.PhysicalResourceId),
      });
    }
  }
  const exported = await cloudFormation.send(new ListExportsCommand({}));
  return {
    stackName,
    stackId: String(Stacks?.[0]?.StackId),
    ...place,
    template: JSON.parse(TemplateBody) as Template,
    made,
    outputs,
    exports: new Map(exported.Exports?.map(({ Name, Value }) => [String(Name), String(Value)])),
  };
}

/** Of every stack in a Region, by `region/stack/output`. */
export async function readOutputs(
  cloudFormation: CloudFormationClient,
  region: string,
): Promise<[string, string][]> {
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({}));
  return Stacks.flatMap(({ StackName, Outputs = [] }) =>
    Outputs.map(({ OutputKey, OutputValue }): [string, string] => [
      `${region}/${StackName}/${OutputKey}`,
      String(OutputValue),
    ]),
  );
}

export async function readBack(stack: Deployed, clients: Clients): Promise<GateResult> {
  const findings: ResourceFinding[] = [];
  const unknowns: string[] = [];
  let resources = 0;
  let leaves = 0;
  for (const [logicalId, { Type: type, Properties = {} }] of Object.entries(
    stack.template.Resources,
  )) {
    if (Object.hasOwn(notRead, type)) continue;
    const wanted = resolve(Properties, stack) as Properties;
    const about = { stack: stack.stackName, logicalId, type, properties: wanted };
    const physicalId = stack.made.get(logicalId)?.physicalId;
    const reader = readers[type];
    if (reader === undefined || physicalId === undefined) {
      const expected = reader === undefined ? 'a reader of this type' : 'to be made';
      findings.push({
        ...{ ...about, physicalId: physicalId ?? '', property: '', wanted: undefined },
        ...{ path: '', expected, actual: 'none' },
      });
      continue;
    }
    const actual = await reader(clients, physicalId, wanted).catch((error: unknown) => error);
    resources += 1;
    if (actual instanceof Error) {
      const problem = `${actual.name}: ${actual.message}`;
      findings.push({
        ...{ ...about, physicalId, property: '', wanted: undefined },
        ...{ path: '', expected: 'readable', actual: problem },
      });
      continue;
    }
    for (const [property, value] of Object.entries(wanted)) {
      if (notState[type]?.includes(property) === true) continue;
      const found = compare(value, (actual as Record<string, unknown>)[property], property);
      leaves += found.leaves;
      unknowns.push(...found.unknowns.map((path) => `${logicalId}.${path}`));
      findings.push(
        ...found.deviations.map((deviation) => ({
          ...{ ...about, physicalId, property, wanted: value },
          ...deviation,
        })),
      );
    }
  }
  return { resources, leaves, unknowns, findings };
}

/** One line for each, for a failing test's message. */
export const describeFinding = ({
  stack,
  logicalId,
  type,
  path,
  expected,
  actual,
}: ResourceFinding) =>
  `${stack} ${type} ${logicalId} ${path}: template ${short(expected)}, API ${short(actual)}`;

const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
