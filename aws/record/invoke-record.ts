/**
 * Evidence by the function Record, which alone may sign: a synchronous call whose errors come through by name.
 *
 * A call that was answered too late is made again by the SDK and may leave two records of the same; evidence is
 * append-only, and two that say the same are as good as one.
 */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Deps } from '../../core/contract/deps.ts';
import { type FunctionName, functionPayloads } from '../../core/contract/functions.ts';
import { failureFromCaught, toError } from '../../core/run/failure.ts';
import { awsError } from '../aws-error.ts';

/**
 * @param state in whose name it is asked: which kinds of evidence it may leave is Record's to know
 * @throws what Record throws; AwsAccessDeniedError, AwsServiceError
 */
export const invokeRecord = (
  lambda: LambdaClient,
  functionName: string,
  state: FunctionName,
): NonNullable<Deps['record']> => {
  return async (evidence) => {
    const { FunctionError, Payload } = await lambda
      .send(
        new InvokeCommand({
          FunctionName: functionName,
          Payload: new TextEncoder().encode(JSON.stringify({ state, evidence })),
        }),
      )
      .catch((error: unknown) => {
        throw awsError(error, { action: 'lambda:InvokeFunction', what: functionName });
      });
    const text = new TextDecoder().decode(Payload);
    if (FunctionError !== undefined) throw toError(failureFromCaught(caughtOf(text)));
    return functionPayloads.Record.output.parse(JSON.parse(text)).key;
  };
};

function caughtOf(cause: string): { Error: string; Cause: string } {
  const { errorType } = JSON.parse(cause) as { errorType?: string };
  return { Error: errorType ?? 'InternalError', Cause: cause };
}
