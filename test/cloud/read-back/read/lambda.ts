/** Functions, who may call them, and what becomes of calls that fail. */
import {
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
} from '@aws-sdk/client-lambda';
import { document, type Reader, tagList } from './reader.ts';

export const lambdaFunction: Reader = async ({ lambda }, FunctionName, { Code }) => {
  const { Configuration: it, Tags } = await lambda.send(new GetFunctionCommand({ FunctionName }));
  const reserved = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }));
  return {
    FunctionName: it?.FunctionName,
    Description: it?.Description,
    Handler: it?.Handler,
    Runtime: it?.Runtime,
    Role: it?.Role,
    MemorySize: it?.MemorySize,
    Timeout: it?.Timeout,
    Architectures: it?.Architectures,
    Environment: { Variables: it?.Environment?.Variables },
    EphemeralStorage: it?.EphemeralStorage,
    LoggingConfig: it?.LoggingConfig,
    TracingConfig: it?.TracingConfig,
    DeadLetterConfig: it?.DeadLetterConfig,
    VpcConfig: it?.VpcConfig,
    ReservedConcurrentExecutions: reserved.ReservedConcurrentExecutions,
    // Where the code came from is not told; that it is there and of some size is.
    Code: (it?.CodeSize ?? 0) > 0 ? Code : undefined,
    Tags: tagList(Tags),
  };
};

export const permission: Reader = async ({ lambda }, _id, wanted) => {
  const { Policy } = await lambda.send(
    new GetPolicyCommand({ FunctionName: String(wanted['FunctionName']) }),
  );
  const { Statement = [] } = (document(Policy) ?? {}) as { Statement?: Statement[] };
  const found = Statement.find(
    ({ Action, Principal, Condition }) =>
      Action === wanted['Action'] &&
      (Principal === wanted['Principal'] || Principal?.Service === wanted['Principal']) &&
      JSON.stringify(Condition ?? {}).includes(String(wanted['SourceArn'] ?? '')),
  );
  return found === undefined
    ? {}
    : {
        ...wanted,
        Action: found.Action,
        SourceArn: Object.values(found.Condition?.ArnLike ?? found.Condition?.ArnEquals ?? {})[0],
      };
};

interface Statement {
  readonly Action?: string;
  readonly Principal?: string & { readonly Service?: string };
  readonly Condition?: {
    readonly ArnLike?: Record<string, string>;
    readonly ArnEquals?: Record<string, string>;
  };
}

export const eventInvokeConfig: Reader = async ({ lambda }, _id, { FunctionName, Qualifier }) => {
  const found = await lambda.send(
    new GetFunctionEventInvokeConfigCommand({
      FunctionName: String(FunctionName),
      Qualifier: String(Qualifier),
    }),
  );
  return {
    FunctionName,
    Qualifier,
    MaximumRetryAttempts: found.MaximumRetryAttempts,
    MaximumEventAgeInSeconds: found.MaximumEventAgeInSeconds,
    DestinationConfig: found.DestinationConfig,
  };
};
