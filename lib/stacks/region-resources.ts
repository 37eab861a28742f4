/** What the stacks of one Region share: made the same way in each, and named, so that none needs the other's outputs. */
import { type Code, type IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../core/contract/functions.ts';
import { namesOf } from '../../core/contract/names.ts';
import { FunctionNetwork } from '../constructs/network.ts';
import type { RegionProps } from '../functions/region.ts';
import { StateFunction } from '../functions/state-function.ts';

export const deadLettersOf = (scope: Construct, { environment, place }: RegionProps): IQueue =>
  Queue.fromQueueArn(
    scope,
    'DeadLetters',
    `arn:aws:sqs:${place.region}:${place.account}:${namesOf(environment.name).deadLetters}`,
  );

export const noticesOf = (scope: Construct, { environment, place }: RegionProps): ITopic =>
  Topic.fromTopicArn(
    scope,
    'Notices',
    `arn:aws:sns:${place.region}:${place.account}:${namesOf(environment.name).topic}`,
  );

/** The function of another stack of this Region; a rule may be given leave to call it. */
export const functionOf = (
  scope: Construct,
  name: FunctionName,
  { environment, place }: RegionProps,
): IFunction =>
  LambdaFunction.fromFunctionAttributes(scope, name, {
    functionArn: namesOf(environment.name).functionArn(name, place),
    sameEnvironment: true,
  });

/** Invoked by schedules and rules, which do not wait for an answer. */
const asynchronous: readonly FunctionName[] = ['Sentinel', 'CleanUp'];

export class Functions extends Map<FunctionName, IFunction> {
  /** @throws Error when this stack has none of that name */
  of(name: FunctionName): IFunction {
    const found = this.get(name);
    if (found === undefined) throw new Error(`There is no function ${name} in this stack.`);
    return found;
  }
}

export interface FunctionsProps {
  readonly names: readonly FunctionName[];
  readonly region: RegionProps;
  readonly code: Code;
  readonly deadLetters: IQueue;
}

/** One function for each name, in the network of the databases if there is one. */
export function makeFunctions(
  scope: Construct,
  { names, region, code, deadLetters }: FunctionsProps,
): Functions {
  const given = region.environment.network[region.isPrimary ? 'primary' : 'replica'];
  const network = given && new FunctionNetwork(scope, 'Network', given);
  const functions = new Functions();
  for (const name of names) {
    const one = new StateFunction(scope, {
      ...{ name, region, code, network },
      ...(asynchronous.includes(name) && { deadLetters }),
    });
    functions.set(name, one.function);
  }
  return functions;
}
