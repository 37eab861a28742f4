/**
 * One function: a state of a machine or one of the extra ones, each by the same pattern.
 *
 * Invariants: a role of its own with what `rights.ts` says; its log, its name and its role's name are ours, so that they
 * are found by name from the other Region and end with the stack.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { FunctionName } from '../../core/contract/functions.ts';
import { namesOf } from '../../core/contract/names.ts';
import type { FunctionNetwork } from '../constructs/network.ts';
import { handlerFileOf } from './bundle.ts';
import { functionEnvironmentOf, type RegionProps, reachOf } from './region.ts';
import { connects, statementsOf } from './rights.ts';
import { inParts, requireRoom } from './room.ts';
import { sizeOf } from './sizes.ts';
import { explainWildcards } from './wildcards.ts';

export interface StateFunctionProps {
  readonly name: FunctionName;
  readonly region: RegionProps;
  readonly code: Code;
  /** Of the databases; absent: they can be reached from outside of any. */
  readonly network: FunctionNetwork | undefined;
  /** Of those that are invoked asynchronously: where an invocation goes that failed for good. */
  readonly deadLetters?: IQueue;
}

export class StateFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, props: StateFunctionProps) {
    super(scope, props.name);
    const { name, region, code, network, deadLetters } = props;
    const { environment, place } = region;
    const names = namesOf(environment.name);
    const functionName = names.function(name);
    const { memoryMb, timeoutSeconds } = sizeOf(name);
    const isInNetwork = network !== undefined && connects(name);

    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: environment.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      roleName: names.roleName(name, place.region),
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Holdfast ${environment.name}: ${name}`,
    });
    logGroup.grantWrite(role);
    const statements = inParts(statementsOf(name, reachOf(region)));
    requireRoom(name, statements, environment);
    for (const { effect, actions, resources, conditions } of statements) {
      role.addToPolicy(
        new PolicyStatement({
          effect: Effect[effect === 'Allow' ? 'ALLOW' : 'DENY'],
          actions: [...actions],
          resources: [...resources],
          ...(conditions !== undefined && { conditions }),
        }),
      );
    }
    explainWildcards(role, ['*', ...statements.flatMap(({ resources }) => resources)]);
    if (isInNetwork) network.allowInterfaces(role, names.functionArn(name, place));

    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      description: `Holdfast ${environment.name}: ${name}`,
      ...{ runtime: Runtime.NODEJS_24_X, architecture: Architecture.ARM_64 },
      ...{ code, handler: `${handlerFileOf(name)}.handler` },
      ...{ memorySize: memoryMb, timeout: Duration.seconds(timeoutSeconds) },
      ...{ role, logGroup, loggingFormat: LoggingFormat.JSON, tracing: Tracing.ACTIVE },
      environment: functionEnvironmentOf(name, region),
      ...reservedConcurrencyOf(name, region),
      ...(isInNetwork && network.placement),
      ...(deadLetters !== undefined && { onFailure: new SqsDestination(deadLetters) }),
    });
  }
}

function reservedConcurrencyOf(
  name: FunctionName,
  { environment }: RegionProps,
): { reservedConcurrentExecutions?: number } {
  const reserved: Partial<Record<FunctionName, number | null>> = environment.reservedConcurrency;
  const count = reserved[name] ?? null;
  return count === null ? {} : { reservedConcurrentExecutions: count };
}
