/** Ends an execution and takes away what it left, by the function that does so for those that were stopped. */
import {
  InvokeCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { HoldfastError } from '../../core/contract/errors.ts';
import { type FunctionOutput, functionPayloads } from '../../core/contract/functions.ts';
import { namesOf } from '../../core/contract/names.ts';
import { failureFromCaught, toError } from '../../core/run/failure.ts';
import { awsError } from '../aws-error.ts';
import type { Execution } from './execution-arn.ts';
import { notDeployed } from './start-execution.ts';

/** @throws DeploymentNotFoundError, AwsAccessDeniedError, AwsServiceError; what the function threw */
export async function cleanUpRun(
  lambda: LambdaClient,
  execution: Execution,
): Promise<FunctionOutput<'CleanUp'>> {
  const { environment, machine, name: runId } = execution;
  const FunctionName = namesOf(environment).function('CleanUp');
  const { FunctionError, Payload } = await lambda
    .send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ machine, runId }) }))
    .catch((error: unknown) => {
      if (error instanceof ResourceNotFoundException) throw notDeployed(execution, error);
      throw awsError(error, { action: 'lambda:InvokeFunction', what: FunctionName });
    });
  const text = Buffer.from(Payload ?? []).toString();
  const answer: unknown = JSON.parse(text === '' ? 'null' : text);
  if (FunctionError !== undefined) {
    const { errorType = FunctionError } = (answer ?? {}) as { errorType?: string };
    throw toError(failureFromCaught({ Error: errorType, Cause: text }));
  }
  const parsed = functionPayloads.CleanUp.output.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new HoldfastError('AwsServiceError', `${FunctionName} answered ${text.slice(0, 200)}.`);
}
